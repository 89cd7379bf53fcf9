import { createStore } from "@kv/core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { needsServer, noServer, startServer, type TestServer } from "./support/server.ts";

describe("without an index", () => {
  beforeEach(needsServer);
  let server: TestServer;
  beforeAll(async () => {
    if (noServer === undefined) server = await startServer();
  });
  afterAll(() => server?.stop());

  test("a store says so, refuses ranges, and does the rest", async () => {
    await using store = createStore(redis({ url: server.url, prefix: "un:", ordered: false }));
    expect(store.capabilities.ordered).toBe(false);
    await store.setMany([
      ["a", 1],
      ["b", "x".repeat(5000)],
      ["c", 3, { ttl: 60 }],
    ]);
    await store.setCache("d", 4);
    for (const range of [() => store.range("a"), () => store.page(), () => store.keys().next()])
      await expect(range()).rejects.toMatchObject({ code: "KV_UNSUPPORTED" });
    await expect(store.scope("s").clear()).rejects.toMatchObject({ code: "KV_UNSUPPORTED" });
    expect(await store.getMany(["a", "c", "z"])).toEqual([1, 3, undefined]);
    expect(await store.count()).toBe(4);
    const { keys, expiring, evictable } = await store.stats();
    expect([keys, expiring, evictable]).toEqual([4, 1, 1]);
    expect(await store.create("a", 2)).toBeUndefined();
    expect(await store.increment("a")).toBe(2);
    expect(await store.delete("b")).toBe(true);
    await store.namespace("n").set("k", 1);
    expect(await store.listNamespaces()).toEqual([["n"]]);
    expect(await store.clearCache()).toBe(1);
    expect(await store.clear()).toBe(2);
    expect(await store.namespace("n").count()).toBe(1);
    const left = (await server.bare.keys("un:*")).map((name) => name.replace(/.*\}/, "")).sort();
    expect(left).toEqual([":k", "layout", "namespaces", "state", "state"]);
  });
});
