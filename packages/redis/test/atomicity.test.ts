import { setTimeout as sleep } from "node:timers/promises";
import { createStore } from "@kv/core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { collected } from "./support/collected.ts";
import { needsServer, noServer, startServer, type TestServer } from "./support/server.ts";

describe("atomicity", () => {
  beforeEach(needsServer);
  let server: TestServer;
  beforeAll(async () => {
    if (noServer === undefined) server = await startServer();
  });
  afterAll(() => server?.stop());

  test("scripts that the server forgets again and again: nothing is applied twice, in half, or not at all", async () => {
    await using writer = createStore(redis({ url: server.url, prefix: "flush:" }));
    await using reader = createStore(redis({ url: server.url, prefix: "flush:" }));
    const until = Date.now() + 1500;
    let flushes = 0;
    const forgetting = (async () => {
      for (; Date.now() < until; flushes++) await server.bare.script("FLUSH");
    })();
    const torn: unknown[] = [];
    const reading = (async () => {
      while (Date.now() < until) {
        for (const entry of await Promise.all([reader.getEntry("a"), reader.getEntry("large")])) {
          if (entry === undefined) continue;
          const { n } = entry.value as { n: number };
          if (entry.metadata.user?.["n"] !== n) torn.push(entry);
        }
      }
    })();
    let increments = 0;
    for (let n = 0; Date.now() < until; n++) {
      const metadata = { n };
      const [, , count] = await Promise.all([
        writer.set("a", { n }, { metadata }),
        writer.set("large", { n, text: "x".repeat(5000) }, { metadata }),
        writer.increment("count"),
        writer.setMany(Array.from({ length: 300 }, (_, i) => [`many:${i}`, n])),
        writer.atomic().set("x", n).set("y", n).commit(),
      ]);
      increments++;
      expect(count).toBe(increments);
      expect(await reader.getMany(["x", "y", "many:0", "many:299"])).toEqual([n, n, n, n]);
    }
    await Promise.all([forgetting, reading]);
    expect(torn).toEqual([]);
    expect(flushes).toBeGreaterThan(20);
    expect(await writer.count()).toBe(305);
  });

  test("a full memory refuses whole commits, and says so", async () => {
    const full = await startServer(["--maxmemory", "3mb"]);
    try {
      await using store = createStore(redis({ url: full.url }));
      await store.set("before", 1);
      let refusal: unknown;
      for (let i = 0; i < 3000 && refusal === undefined; i++) {
        await store.set(`fill:${i}`, "x".repeat(1500)).catch((error: unknown) => {
          refusal = error;
        });
      }
      expect(refusal).toMatchObject({ code: "KV_CAPACITY" });
      const large = store.set("large", "x".repeat(50_000));
      await expect(large).rejects.toMatchObject({ code: "KV_CAPACITY" });
      await expect(store.atomic().delete("before").set("after", 1).commit())
        .resolves.toBeDefined()
        .catch(() => undefined);
      const both = await store.getMany(["before", "after"]);
      expect([
        [1, undefined],
        [undefined, 1],
      ]).toContainEqual(both);
      expect(await store.count()).toBe((await collected(store.keys())).length);
    } finally {
      await full.stop();
    }
  });

  test("somebody empties the database: the store goes on", async () => {
    await using store = createStore(redis({ url: server.url, prefix: "emptied:" }));
    const below = store.namespace("below");
    await below.set("k", 1);
    await server.bare.flushall();
    expect(await below.get("k")).toBeUndefined();
    const revision = await below.set("k", 2);
    expect(await store.listNamespaces()).toEqual([["below"]]);
    await server.bare.flushall();
    await below.set("k", 3);
    expect(await below.replace("k", 4, { revision })).toBeUndefined();
    expect(await collected(below.keys())).toEqual(["k"]);
  });

  test("numbers are counted and written as JavaScript does", async () => {
    await using store = createStore(redis({ url: server.url, prefix: "numbers:" }));
    const cases = [
      [0.1, 0.2],
      [1e-7, 2e-7],
      [0.00001, 0.000002],
      [1e21, 0.5],
      [0.5, 1.5e300],
      [-0.5, 0.5],
      [123456789.125, -0.0000001],
      [2 ** 53 - 2, 1],
      [-1e-300, 3e-301],
      [4.35, 0.1],
      [1 / 3, 1 / 7],
    ] as const;
    for (const [before, by] of cases) {
      await store.set("n", before);
      expect(await store.increment("n", by)).toBe(before + by);
      expect(await store.get("n")).toBe(before + by);
      const [name] = await server.bare.keys("numbers:*:n");
      const text = (await server.bare.get(name ?? ""))?.slice(61);
      expect(text).toBe(JSON.stringify(before + by));
    }
    await store.set("n", 2 ** 53 - 1);
    await expect(store.increment("n")).rejects.toMatchObject({ code: "KV_INVALID_VALUE" });
    await store.set("n", "5");
    await expect(store.increment("n")).rejects.toMatchObject({ code: "KV_INVALID_VALUE" });
  });

  test("large values: createdAt stays, a deadline is kept, nothing is left on the way", async () => {
    await using store = createStore(redis({ url: server.url, prefix: "large:" }));
    const text = "é".repeat(20_000);
    await store.set("k", "small", { ttl: 60 });
    const before = await store.getMetadata("k");
    await sleep(5);
    await store.set("k", text, { keepTtl: true });
    const after = await store.getMetadata("k");
    expect(await store.get("k")).toBe(text);
    expect([after?.createdAt, after?.expiresAt]).toEqual([before?.createdAt, before?.expiresAt]);
    expect(await store.create("k", text)).toBeUndefined();
    await store.set("bytes", new Uint8Array(5000).fill(255));
    expect(await store.get("bytes")).toEqual(new Uint8Array(5000).fill(255));
    await store.set("k", text);
    expect((await store.getMetadata("k"))?.expiresAt).toBeUndefined();
    await store.set("k", "small again");
    expect((await store.getMetadata("k"))?.createdAt).toEqual(before?.createdAt);
    expect((await server.bare.keys("large:*")).filter((name) => /\}t/.test(name))).toEqual([]);
  });
});
