import { type Emulator, startEmulator } from "@kv/arangodb-emulator";
import { type Commit, createStore, namespaceOf, type SetMutation, type Store } from "@kv/core";
import { Database } from "arangojs";
import { ResponseTimeoutError } from "arangojs/errors";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { arangodb } from "../../src/index.ts";
import { type CountingClient, countingClient } from "../counting-client.ts";

let emulator: Emulator;
let counting: CountingClient;
beforeAll(async () => {
  emulator = await startEmulator({ language: "da" });
  counting = countingClient(emulator.url);
});
afterAll(() => emulator.close());

function storeFor(collection: string): Store {
  const store = createStore(arangodb({ client: counting.client, collection }), { sweepInterval: null });
  onTestFinished(() => store.close());
  return store;
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = { a: value };
  return value;
}

describe("ranges", () => {
  test("a page has as many entries as their size allows, and a handful comes in one", async () => {
    const adapter = arangodb({ client: counting.client, collection: "pages", requestTimeout: 60_000 });
    const store = createStore(adapter, { sweepInterval: null, timeout: 60 });
    onTestFinished(() => store.close());
    const large = "x".repeat(64 * 1024);
    await store.setMany(Array.from({ length: 200 }, (_, i): [string, string] => [`large${i}`, large]));
    await store.setMany(Array.from({ length: 1000 }, (_, i): [string, number] => [`small${i}`, i]));
    const pagesOf = async (prefix: string, limit = Number.POSITIVE_INFINITY) => {
      const found: string[] = [];
      const { requests } = await counting.during(async () => {
        for await (const { key } of store.entries({ prefix, limit })) found.push(key);
      });
      return [new Set(found).size, requests];
    };
    // First 64 entries, then 8 MiB per page.
    expect(await pagesOf("large")).toEqual([200, 3]);
    expect(await pagesOf("small")).toEqual([1000, 2]);
    expect(await pagesOf("small", 256)).toEqual([256, 1]);
  }, 60_000);
});

describe("commits", () => {
  test("what is too much for one statement goes as several, in order", async () => {
    const store = storeFor("large");
    await store.set("first", 0);
    const megabyte = "x".repeat(1024 * 1024);
    const values = Array.from({ length: 20 }, (_, i): [string, string] => [`k${i}`, `${i}${megabyte}`]);
    const { requests } = await counting.during(() => store.setMany(values));
    expect(requests).toBe(3);
    expect((await store.get("k19")) === values[19]?.[1]).toBe(true);
    expect(await store.count()).toBe(21);
  });

  test("so does what has to be looked at first: writes of one key in the same tick", async () => {
    const store = storeFor("looked-at");
    await store.set("n", 1);
    const megabyte = "x".repeat(1024 * 1024);
    const { requests } = await counting.during(async () => {
      const added = Promise.all([store.set("n", 2), store.increment("n")]);
      const values = Array.from({ length: 10 }, (_, i): [string, string] => [`k${i}`, megabyte]);
      await Promise.all([added, store.setMany(values), store.set("n", 5), store.increment("n")]);
    });
    expect(requests).toBe(4);
    expect(await store.get("n")).toBe(6);
    expect(await store.count()).toBe(11);
  });

  test("where the answer of one of several statements is lost, what was behind it is said not to be sent", async () => {
    const client = new Database({ url: emulator.url });
    const adapter = arangodb({ client, collection: "parts" });
    await adapter.open();
    onTestFinished(() => adapter.close());
    const namespace = namespaceOf([]);
    const common = {
      type: "set",
      encoding: "json",
      expiresAt: undefined,
      policy: "persist",
      user: undefined,
    } as const;
    const commits = Array.from({ length: 3 }, (_, i): Commit => {
      const payload = "x".repeat(5 * 1024 * 1024);
      return { checks: [], mutations: [{ ...common, key: `k${i}`, payload }] };
    });
    await adapter.commit(namespace, [{ checks: [], mutations: [{ ...common, key: "first", payload: 1 }] }]);
    const ask = client.query.bind(client) as (...query: unknown[]) => Promise<never>;
    let asked = 0;
    client.query = async (...query: unknown[]) => {
      const answer = await ask(...query);
      if (++asked === 2) throw new ResponseTimeoutError(undefined, new Request(emulator.url));
      return answer;
    };
    const results = await adapter.commit(namespace, commits);
    expect(results).toMatchObject([
      { status: "ok" },
      {
        status: "error",
        error: { retryable: false, message: expect.stringMatching(/may have been applied/) },
      },
      { status: "error", error: { outcome: "not sent" } },
    ]);
    const found = await adapter.read(namespace, ["k0", "k1", "k2"]);
    expect(found.map((entry) => entry?.key)).toEqual(["k0", "k1", undefined]);
  });

  test("what the server would refuse is stored all the same: values and metadata", async () => {
    const store = storeFor("strange");
    const metadata = { deep: nested(150), "": "\ud800" };
    for (const [i, value] of [
      nested(300),
      "\udfff",
      { "": 1 },
      2 ** 64,
      -(2 ** 63),
      1.7976931348623157e308,
    ].entries()) {
      await store.set(`k${i}`, value, { metadata });
      expect(await store.getEntry(`k${i}`)).toMatchObject({ value, metadata: { user: metadata } });
      await store.updatePolicy(`k${i}`, "evict");
      expect(await store.get(`k${i}`)).toEqual(value);
    }
  });

  test("a number that is stored as text can be added to, as far as numbers go", async () => {
    const store = storeFor("numbers");
    await store.set("n", 2 ** 64);
    expect(await store.increment("n", 0.5)).toBe(2 ** 64);
    await expect(store.increment("n", 1)).rejects.toMatchObject({ code: "KV_INVALID_VALUE" });
    await store.set("m", Number.MAX_SAFE_INTEGER - 2);
    const added = await Promise.allSettled([1, 1, 1].map((by) => store.increment("m", by)));
    expect(added.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    expect(await store.get("m")).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("one that the server refuses takes no other with it", async () => {
    const adapter = arangodb({ client: counting.client, collection: "refused" });
    await adapter.open();
    onTestFinished(() => adapter.close());
    const set = (key: string, user: string | undefined): Commit => {
      const common = { type: "set", key, encoding: "json", expiresAt: undefined, policy: "persist" } as const;
      return { checks: [], mutations: [{ ...common, payload: 1, user } satisfies SetMutation] };
    };
    const namespace = namespaceOf([]);
    // The server refuses this key, as a store would.
    const bad: Commit = { checks: [{ key: "b", revision: nested(250) as string }], mutations: [] };
    const results = await adapter.commit(namespace, [set("a", undefined), bad, set("c", undefined)]);
    expect(results.map(({ status }) => status)).toEqual(["ok", "error", "ok"]);
    expect(await adapter.read(namespace, ["a", "b", "c"])).toMatchObject([
      { key: "a" },
      undefined,
      { key: "c" },
    ]);
  });

  test("a commit whose checks fail writes nothing at all, and names the keys that failed", async () => {
    const store = storeFor("checked");
    await store.set("a", 1);
    const result = await store
      .atomic()
      .check("a", null)
      .check("b", null)
      .check("c", "x")
      .set("d", 1)
      .delete("a")
      .commit();
    expect(result).toEqual({ ok: false, failed: ["a", "c"] });
    expect(await counting.client.collection("checked").count()).toMatchObject({ count: 1 });
  });
});
