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
import { type ArangodbOptions, arangodb } from "../../src/index.ts";

const PASSWORD = "geheim";
const DAYS = 24 * 3600 * 1000;

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator({ password: PASSWORD });
});
afterAll(() => emulator.close());

function storeFor(collection: string, options?: ArangodbOptions): Store {
  const adapter = arangodb({ ...(options ?? { url: emulator.url, password: PASSWORD }), collection });
  const store = createStore(adapter, { sweepInterval: null, timeout: 20 });
  onTestFinished(() => store.close());
  return store;
}

async function refusalOf(promise: Promise<unknown>): Promise<KvError> {
  return promise.then(
    () => Promise.reject(new Error("it was not refused")),
    (error: KvError) => error,
  );
}

const isQuery = ({ url }: InterceptedRequest) => url.includes("/_api/cursor");

describe("a token that has expired", () => {
  test("is told by reads and writes, is not retryable, and nothing was written", async () => {
    const token = await new Database({ url: emulator.url }).login("root", PASSWORD);
    const store = storeFor("expired", { url: emulator.url, token });
    onTestFinished(() => emulator.setClock(0));
    await store.set("k", 1);
    emulator.setClock(40 * DAYS);
    for (const call of [
      () => store.get("k"),
      () => store.set("k", 2),
      () => store.count(),
      () => store.clear(),
    ]) {
      expect(await refusalOf(call())).toMatchObject({
        code: "KV_UNAVAILABLE",
        retryable: false,
        message: expect.stringMatching(/token \(one may have expired\)/),
      });
    }
    emulator.setClock(0);
    expect(await store.get("k")).toBe(1);
  });

  test("can be renewed by a caller who hands in the client", async () => {
    const client = new Database({ url: emulator.url });
    await client.login("root", PASSWORD);
    const store = storeFor("renewed", { client });
    onTestFinished(() => emulator.setClock(0));
    await store.set("k", 1);
    emulator.setClock(40 * DAYS);
    expect(await refusalOf(store.get("k"))).toMatchObject({ code: "KV_UNAVAILABLE" });
    await client.login("root", PASSWORD);
    expect(await store.get("k")).toBe(1);
  });
});

describe("a user whose rights were taken away", () => {
  test("is told by reads and queries what to check, and by writes that it only reads", async () => {
    const { aql, query } = await import("../../src/index.ts");
    const store = storeFor("rights");
    await store.set("k", 1);
    const only = (request: InterceptedRequest) => isQuery(request);
    const stop = emulator.intercept(
      fault(errorAnswer(403, 11, "forbidden"), { when: "before", times: 99, only }),
    );
    for (const call of [
      () => store.get("k"),
      () => store.count(),
      () => query(store, ({ entries }) => aql`FOR d IN ${entries} RETURN d.key`),
    ]) {
      expect(await refusalOf(call())).toMatchObject({
        code: "KV_UNAVAILABLE",
        retryable: false,
        message: expect.stringMatching(/the user's rights/),
      });
    }
    expect(await refusalOf(store.set("k", 2))).toMatchObject({ code: "KV_READ_ONLY" });
    stop();
    expect(await store.get("k")).toBe(1);
  });
});

describe("a server that starts up, or changes its leader", () => {
  test.each([
    [503, 503],
    [503, 1495],
    [503, 30],
    [503, 21003],
  ])(
    "(%i/%i) is unavailable, retryable where nothing was done, and the same store goes on",
    async (status, errorNum) => {
      const early = storeFor(`starting${errorNum}`);
      const stop = emulator.intercept(
        fault(errorAnswer(status, errorNum), { when: "before", times: 999, only: () => true }),
      );
      expect(await refusalOf(early.get("k"))).toMatchObject({ code: "KV_UNAVAILABLE", retryable: true });
      stop();
      await early.set("k", 1);
      const again = emulator.intercept(
        fault(errorAnswer(status, errorNum), { when: "before", times: 999, only: () => true }),
      );
      expect(await refusalOf(early.get("k"))).toMatchObject({ code: "KV_UNAVAILABLE", retryable: true });
      expect(await refusalOf(early.set("k", 2))).toMatchObject({ code: "KV_UNAVAILABLE" });
      again();
      expect(await early.get("k")).toBe(1);
      await early.set("k", 3);
      expect(await early.get("k")).toBe(3);
    },
  );

  test("names another address: the request, and with it the password, is not sent there", async () => {
    const other = await startEmulator();
    onTestFinished(() => other.close());
    const accounts: unknown[] = [];
    other.intercept((request, proceed) => {
      accounts.push(request.headers["authorization"]);
      return proceed();
    });
    const store = storeFor("led");
    await store.set("k", 1);
    const headers = { "x-arango-endpoint": other.url };
    const follower = emulator.intercept((request, proceed) =>
      isQuery(request) ? { ...errorAnswer(503, 1496), headers } : proceed(),
    );
    expect(await refusalOf(store.get("k"))).toMatchObject({
      code: "KV_UNAVAILABLE",
      message: expect.stringContaining(other.url),
    });
    follower();
    // Neither the account nor any earlier request was sent there.
    expect(accounts).toEqual([]);
    const redirect = emulator.intercept((request, proceed) =>
      isQuery(request) ? { status: 307, text: "", headers: { location: `${other.url}/x` } } : proceed(),
    );
    expect((await refusalOf(store.get("k"))).message).toMatch(
      /redirects to .*give that address as the option url/,
    );
    expect((await refusalOf(store.set("k", 2))).message).toMatch(/redirects to/);
    redirect();
    expect(accounts).toEqual([undefined, undefined]);
    expect(await store.get("k")).toBe(1);
  });
});

describe("a proxy", () => {
  test("that limits bodies refuses a batch: what fits alone is written, what does not is KV_CAPACITY", async () => {
    const store = storeFor("limited");
    await store.set("k", 1);
    const stop = emulator.intercept((request, proceed) =>
      JSON.stringify(request.body).length > 12_000
        ? { status: 413, text: "<html>too large</html>" }
        : proceed(),
    );
    const values = ["x".repeat(5000), "y".repeat(20_000), "z".repeat(5000)];
    const results = await Promise.allSettled(values.map((value, i) => store.set(`k${i}`, value)));
    stop();
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(results[1]).toMatchObject({
      reason: { code: "KV_CAPACITY", retryable: false, message: expect.stringMatching(/limits how large/) },
    });
    expect(await store.getMany(["k0", "k1", "k2"])).toEqual([values[0], undefined, values[2]]);
  });

  test("that answers with a page of its own is told apart from a server", async () => {
    const store = storeFor("paged");
    await store.set("k", 1);
    const stop = emulator.intercept((request, proceed) =>
      isQuery(request) ? { status: 200, text: "<html>Sign in</html>" } : proceed(),
    );
    expect((await refusalOf(store.get("k"))).message).toMatch(/perhaps a proxy answers/);
    expect(await refusalOf(store.set("k", 2))).toMatchObject({ code: "KV_UNAVAILABLE", retryable: false });
    stop();
    expect(await store.get("k")).toBe(1);
  });
});

describe("a query of the server's", () => {
  test("that takes too much memory (32) takes no other write along", async () => {
    const store = storeFor("memory");
    await store.set("k", 1);
    const stop = emulator.intercept((request, proceed) =>
      JSON.stringify(request.body).includes("greedy")
        ? errorAnswer(500, 32, "query would use more memory than allowed")
        : proceed(),
    );
    const results = await Promise.allSettled([
      store.set("a", 1),
      store.set("b", "greedy"),
      store.set("c", 1),
    ]);
    stop();
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(results[1]).toMatchObject({ reason: { code: "KV_CAPACITY" } });
  });

  test("that an administrator kills (1500) is KV_TIMEOUT, and wrote nothing", async () => {
    const store = storeFor("killed");
    await store.set("k", 1);
    const stop = emulator.intercept(
      fault(errorAnswer(410, 1500, "query killed"), { when: "before", times: 2, only: isQuery }),
    );
    expect(await refusalOf(store.get("k"))).toMatchObject({ code: "KV_TIMEOUT" });
    expect(await refusalOf(store.set("k", 2))).toMatchObject({ code: "KV_TIMEOUT" });
    stop();
    expect(await store.get("k")).toBe(1);
  });

  test("never asks for a dirty read, nor for a result that was remembered", async () => {
    const store = storeFor("clean");
    const bodies: unknown[] = [];
    const stop = emulator.intercept((request, proceed) => {
      expect(request.headers["x-arango-allow-dirty-read"]).toBeUndefined();
      if (isQuery(request)) bodies.push(request.body);
      return proceed();
    });
    await store.set("k", 1);
    expect(await store.get("k")).toBe(1);
    stop();
    for (const body of bodies) expect(body).toMatchObject({ cache: false });
  });
});
