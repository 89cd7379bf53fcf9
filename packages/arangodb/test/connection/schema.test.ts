import {
  type Emulator,
  errorAnswer,
  fault,
  type InterceptedRequest,
  startEmulator,
} from "@kv/arangodb-emulator";
import { createStore, type KvError, type Store } from "@kv/core";
import { Database } from "arangojs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type ArangodbServerOptions, arangodb, links } from "../../src/index.ts";

let emulator: Emulator;
let database: Database;
beforeAll(async () => {
  emulator = await startEmulator();
  database = new Database({ url: emulator.url });
});
afterAll(() => emulator.close());

function storeFor(collection: string, options: ArangodbServerOptions = {}): Store {
  const adapter = arangodb({ url: emulator.url, collection, ...options });
  const store = createStore(adapter, { sweepInterval: null, timeout: 30 });
  onTestFinished(() => store.close());
  return store;
}

async function refusalOf(promise: Promise<unknown>): Promise<KvError> {
  return promise.then(
    () => Promise.reject(new Error("it was not refused")),
    (error: KvError) => error,
  );
}

/** Makes the server report its database like a coordinator of a cluster. */
function inCluster(sharding: string): () => void {
  return emulator.intercept(async ({ url }, proceed) => {
    const answered = await proceed();
    if (!url.endsWith("/_api/database/current")) return answered;
    const body = answered.body as { readonly result: object };
    return { ...answered, body: { ...body, result: { ...body.result, sharding } } } as typeof answered;
  });
}

const makes = ({ method, url }: InterceptedRequest) =>
  method === "POST" && /\/_api\/(?:collection|index|database)/.test(url);

describe("databases, collections and indexes", () => {
  test("may take longer to be made than a statement may", async () => {
    let made = 0;
    const stop = emulator.intercept(async (request, proceed) => {
      // For the database and the first collection.
      if (makes(request) && made++ < 2) await new Promise((resolve) => setTimeout(resolve, 1400));
      return proceed();
    });
    const store = storeFor("slow", { requestTimeout: 1200, database: "slowly" });
    await store.set("k", 1);
    stop();
    expect(await store.get("k")).toBe(1);
  });

  test.each([1448, 1460, 1461, 1207])(
    "are made in the end where the cluster is not ready (%i)",
    async (errorNum) => {
      const answer = errorAnswer(errorNum === 1207 ? 409 : 412, errorNum);
      const only = (request: InterceptedRequest) => makes(request) && request.url.includes("index");
      const stop =
        errorNum === 1207
          ? () => true
          : emulator.intercept(fault(answer, { when: "before", times: 4, only }));
      const store = storeFor(`unsettled${errorNum}`);
      await store.set("k", 1);
      stop();
      expect(await store.get("k")).toBe(1);
    },
  );

  test.each(["kv", "kv_changes", "kv_system"])(
    "of which %s was dropped while a store is open: made again, watchers read again",
    async (part) => {
      const collection = `dropped-${part.replace("_", "-")}`;
      const store = storeFor(collection, { watchInterval: 20 });
      await store.set("k", 1);
      const seen: string[] = [];
      await store.subscribe(({ type }) => void seen.push(type));
      await database.collection(part.replace("kv", collection)).drop();
      await store.set("again", 2);
      expect(await store.get("again")).toBe(2);
      await expect.poll(() => seen, { timeout: 10_000 }).toContain("resync");
      const indexes = await database.collection(collection).indexes();
      expect(indexes.map(({ name }) => name)).toEqual(
        expect.arrayContaining(["keys", "expiresAt", "reclaimAt"]),
      );
    },
  );

  test("of which the entries were dropped while no store was open are made again", async () => {
    await storeFor("lost").set("k", 1);
    await database.collection("lost").drop();
    const store = storeFor("lost");
    expect(await store.get("k")).toBeUndefined();
    await store.set("k", 2);
    expect(await store.get("k")).toBe(2);
  });

  test("that were dropped are not made again by closing", async () => {
    const store = storeFor("left");
    await store.set("k", 1);
    for (const part of ["", "_changes", "_system"]) await database.collection(`left${part}`).drop();
    await store.close();
    expect(await database.collection("left").exists()).toBe(false);
  });
});

describe("collections of others", () => {
  test.each(["others", "others_changes", "others_system"])(
    "under the name %s are refused, and stay as they are",
    async (name) => {
      const made = await database.createCollection(name);
      const documents = Array.from({ length: 3 }, (_, i) => ({
        _key: `d${i}`,
        expiresAt: 1,
        reclaimAt: 1,
        title: "x",
      }));
      await made.saveAll(documents);
      const error = await refusalOf(storeFor("others").set("k", 1));
      expect(error).toMatchObject({
        code: "KV_INVALID_OPTION",
        message: expect.stringMatching(new RegExp(`"${name}" belongs to another`)),
      });
      expect((await made.count()).count).toBe(3);
      await Promise.allSettled(
        ["", "_changes", "_system"].map((part) => database.collection(`others${part}`).drop()),
      );
    },
  );

  test("that are edges are refused", async () => {
    await database.createEdgeCollection("graph");
    expect(await refusalOf(storeFor("graph").get("k"))).toMatchObject({ code: "KV_INVALID_OPTION" });
  });

  test("which other stores have made, under a name that means something else to this one, are refused both ways", async () => {
    const store = storeFor("one");
    await store.setMany([
      ["a", 1],
      ["b", 1],
    ]);
    await links(store).link("a", "to", "b");
    for (const part of ["one_changes", "one_system", "one_links"]) {
      expect(await refusalOf(storeFor(part).set("k", 1)), part).toMatchObject({ code: "KV_INVALID_OPTION" });
    }
    await storeFor("two_links").set("k", 1);
    await storeFor("two_system").set("k", 1);
    const two = storeFor("two");
    expect(await refusalOf(two.set("k", 1))).toMatchObject({ code: "KV_INVALID_OPTION" });
    const three = storeFor("three");
    await storeFor("three_links").set("k", 1);
    await three.setMany([
      ["a", 1],
      ["b", 1],
    ]);
    expect(await refusalOf(links(three).link("a", "to", "b"))).toMatchObject({ code: "KV_INVALID_OPTION" });
  });

  test("two stores of one process in one database share nothing", async () => {
    const [one, two] = [storeFor("side"), storeFor("by-side", { watchInterval: 10 })];
    const seen: string[] = [];
    await two.subscribe(({ type }) => void seen.push(type));
    await one.set("k", 1);
    await two.set("k", 2);
    expect(await one.clear()).toBe(1);
    expect(await two.get("k")).toBe(2);
    await expect.poll(() => seen, { timeout: 10_000 }).toEqual(["set"]);
  });
});

describe("a cluster", () => {
  test("needs a database on one shard, also where the data were laid out elsewhere", async () => {
    await storeFor("restored").set("k", 1);
    const stop = inCluster("flexible");
    expect(await refusalOf(storeFor("restored").get("k"))).toMatchObject({
      code: "KV_UNSUPPORTED",
      message: expect.stringMatching(/sharding: "single"/),
    });
    stop();
  });

  test("is not taken for a single server where it cannot be asked", async () => {
    await storeFor("asked").set("k", 1);
    const only = ({ url }: InterceptedRequest) => url.endsWith("/_api/database/current");
    const stop = emulator.intercept(fault(errorAnswer(503, 503), { when: "before", times: 99, only }));
    expect(await refusalOf(storeFor("asked").get("k"))).toMatchObject({ code: "KV_UNAVAILABLE" });
    stop();
  });

  test("that is short of replicas is unavailable, and one server in read-only mode is read-only", async () => {
    const single = storeFor("replicas");
    await single.set("k", 1);
    const stop = inCluster("single");
    const store = storeFor("replicas");
    await store.set("k", 2);
    const refuse = emulator.intercept(fault(errorAnswer(403, 1004), { when: "before", times: 2 }));
    expect(await refusalOf(store.set("k", 3))).toMatchObject({
      code: "KV_UNAVAILABLE",
      retryable: true,
      message: expect.stringMatching(/write concern/),
    });
    expect(await refusalOf(single.set("k", 3))).toMatchObject({ code: "KV_READ_ONLY" });
    refuse();
    await store.set("k", 4);
    stop();
  });
});
