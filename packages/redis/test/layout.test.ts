import { createStore, namespaceOf, type Store } from "@kv/core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { Layout } from "../src/stored/layout.ts";
import { collected } from "./support/collected.ts";
import { needsServer, noServer, startServer, type TestServer } from "./support/server.ts";

describe("names", () => {
  const layout = new Layout({ prefix: "kv:", partitions: 4, ordered: true, db: 0 });

  test("a tag names its namespace and partition again, whatever the segments are", () => {
    for (const path of [[], ["a", "b:k"], ["{x}", "~2", "}"], ["a/b~1", "é%*?[c]\0"]]) {
      const namespace = namespaceOf(path);
      for (const space of layout.spaces(namespace)) {
        expect(space.tag).not.toMatch(/[{}]/);
        expect(layout.find(space.tag)).toEqual({ space, namespace });
      }
    }
  });

  test("tags of another layout are not taken for this one's", () => {
    const single = new Layout({ prefix: "kv:", partitions: 1, ordered: true, db: 0 });
    expect(single.find(layout.spaces(namespaceOf(["a"]))[3]?.tag ?? "")).toBeUndefined();
    expect(layout.find("nonsense")).toBeUndefined();
  });

  test("where a key belongs never changes from version to version", () => {
    const parts = ["", "a", "user:1", "é", "😀", "user:1000"].map((key) => layout.partitionOf(key));
    expect(parts).toMatchInlineSnapshot(`
      [
        1,
        2,
        3,
        3,
        2,
        3,
      ]
    `);
  });
});

describe("one server", () => {
  beforeEach(needsServer);
  let server: TestServer;
  beforeAll(async () => {
    if (noServer === undefined) server = await startServer();
  });
  afterAll(() => server?.stop());

  test("what is stored can be read with the server's own tools", async () => {
    await using store = createStore(redis({ url: server.url, prefix: "tools:" }));
    await store.set("user:1", { name: "Ada" }, { metadata: { who: "Zoë" }, ttl: 60 });
    const [name] = await server.bare.keys("tools:*:user:1");
    expect(await server.bare.get(name ?? "")).toMatch(/\{"name":"Ada"\}$/);
    expect(await server.bare.pttl(name ?? "")).toBeGreaterThan(55_000);
    expect((await store.getMetadata("user:1"))?.user).toEqual({ who: "Zoë" });
  });

  test("what somebody else wrote under the name of an entry is told as such", async () => {
    await using store = createStore(redis({ url: server.url, prefix: "foreign:" }));
    await store.set("k", 1);
    const [name = ""] = await server.bare.keys("foreign:*:k");
    for (const text of ["", "short", `longer than the sixty-one characters ${"x".repeat(60)}`]) {
      await server.bare.set(name, text);
      for (const read of [
        () => store.get("k"),
        () => store.getEntry("k"),
        () => store.getMetadata("k"),
        () => store.getMany(["k", "l"]),
      ])
        await expect(read()).rejects.toMatchObject({ code: "KV_CORRUPT", key: "k" });
      expect(await store.delete("k")).toBe(true);
      await store.set("k", 1);
      expect((await store.getMetadata("k"))?.createdAt.getTime()).toBeGreaterThan(0);
    }
  });

  test("prefixes and names full of glob characters touch nothing but their own", async () => {
    const foreign = ["app:*", "app:{x}", "app:[a]*:k", "appx"];
    for (const name of foreign) await server.bare.set(name, "foreign");
    await using star = createStore(redis({ url: server.url, prefix: "app:*" }));
    await using other = createStore(redis({ url: server.url, prefix: "app:x" }));
    await using cache = createStore(redis({ url: server.url, prefix: "app:[x]*", ordered: false }));
    for (const store of [star, other, cache]) {
      await store.setMany([
        ["a*", 1],
        ["a[b]", 2],
        ["?", 3],
      ]);
      await store.setCache("cached", 4);
      await store.namespace("n*").set("k", 5);
    }
    expect(await star.clearCache()).toBe(1);
    expect(await cache.clearCache()).toBe(1);
    expect(await star.clear({ namespaces: true })).toBe(4);
    expect(await cache.clear({ namespaces: true })).toBe(4);
    expect(await other.count()).toBe(4);
    expect(await other.listNamespaces()).toEqual([["n*"]]);
    expect(await server.bare.mget(...foreign)).toEqual(foreign.map(() => "foreign"));
  });

  test("nothing is left of a namespace that is empty, once it was swept", async () => {
    await using store = createStore(redis({ url: server.url, prefix: "left:" }));
    const below = store.namespace("tenant");
    await below.setMany(
      [
        ["a", 1],
        ["b", 2, { policy: "evict" }],
      ],
      { ttl: 0.05 },
    );
    await below.set("large", "x".repeat(10_000), { ttl: 0.05 });
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(await store.sweep()).toBe(3);
    expect((await server.bare.keys("left:*")).map((name) => name.replace(/.*\}/, ""))).toEqual(["layout"]);
  });

  test("an entry whose deadline was put off is there, counted and listed until the later one", async () => {
    await using store = createStore(redis({ url: server.url, prefix: "later:" }));
    const below = store.namespace("tenant");
    const writes: [string, (key: string, ttl: number | null) => Promise<unknown>][] = [
      ["set", (key, ttl) => below.set(key, 1, { ttl })],
      [
        "together",
        (key, ttl) =>
          below.setMany(
            [
              [key, 1],
              [`${key} too`, 1],
            ],
            { ttl },
          ),
      ],
      ["large", (key, ttl) => below.set(key, "x".repeat(10_000), { ttl })],
      ["touched", (key, ttl) => below.updateTtl(key, ttl)],
      ["committed", (key, ttl) => below.atomic().set(key, 1, { ttl }).set(`${key} too`, 1, { ttl }).commit()],
    ];
    const layout = new Layout({ prefix: "later:", partitions: 1, ordered: true, db: 0 });
    const due = layout.spaces(namespaceOf(["tenant"]))[0]?.due ?? "";
    await below.set("touched", 1);
    for (const [key, write] of writes) await write(key, 10);
    // As if ten seconds had passed.
    for (const key of await server.bare.zrange(due, "0", "-1")) await server.bare.zadd(due, 1, key);
    for (const [key, write] of writes) await write(key, key === "large" ? null : 60);
    expect(await store.listNamespaces()).toEqual([["tenant"]]);
    expect(await below.count()).toBe(7);
    expect(await below.stats()).toMatchObject({ keys: 7, expiring: 6 });
    expect(await store.sweep()).toBe(0);
    expect(await collected(below.keys())).toHaveLength(7);
    // The other way round, the earlier deadline counts.
    for (const [key, write] of writes) await write(key, 0.05);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await below.count()).toBe(0);
    expect(await store.listNamespaces()).toEqual([]);
    await below.set("set", 2, { ttl: 60 });
    expect(await below.count()).toBe(1);
    expect(await store.sweep()).toBe(0);
    expect(await below.get("set")).toBe(2);
  });

  test("many entries whose deadlines were put off are counted right", async () => {
    await using store = createStore(redis({ url: server.url, prefix: "put off:" }));
    const entries = Array.from({ length: 12_000 }, (_, i): [string, number] => [`k${i}`, i]);
    await store.setMany(entries, { ttl: 0.2 });
    await store.setMany(entries, { ttl: 600 });
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(await store.count()).toBe(12_000);
    expect(await store.sweep()).toBe(0);
    expect(await store.stats()).toMatchObject({ keys: 12_000, expiring: 12_000 });
  });

  test("data laid out otherwise are not opened", async () => {
    await using store = createStore(redis({ url: server.url, prefix: "agree:" }));
    await store.set("k", 1);
    for (const options of [{ partitions: 2 }, { ordered: false }]) {
      await using other = createStore(redis({ url: server.url, prefix: "agree:", ...options }));
      await expect(other.get("k")).rejects.toMatchObject({ code: "KV_INVALID_OPTION" });
    }
  });

  describe("after the server was emptied", () => {
    beforeEach(() => server.bare.flushall());
    const OTHER = { partitions: 3 };
    const writes: [string, (store: Store) => Promise<unknown>][] = [
      ["a set", (store) => store.set("k", 2)],
      ["a large set", (store) => store.set("k", "x".repeat(10_000))],
      ["an increment", (store) => store.increment("k")],
      ["a commit", (store) => store.atomic().check("k", null).set("k", 2).set("l", 3).commit()],
      ["a set in a namespace", (store) => store.namespace("tenant").set("k", 2)],
    ];

    test.each(writes)("%s of an open store says again how the data are laid out", async (_, write) => {
      await using store = createStore(redis({ url: server.url, prefix: "emptied:" }));
      await write(store);
      await server.bare.flushall();
      await write(store);
      await using other = createStore(redis({ url: server.url, prefix: "emptied:", ...OTHER }));
      await expect(other.get("k")).rejects.toMatchObject({ code: "KV_INVALID_OPTION" });
      await using same = createStore(redis({ url: server.url, prefix: "emptied:" }));
      expect(await same.listNamespaces()).toEqual(await store.listNamespaces());
    });

    test.each(writes)("%s is refused where another store came first", async (_, write) => {
      await using store = createStore(redis({ url: server.url, prefix: "taken:" }));
      await write(store);
      await server.bare.flushall();
      await using other = createStore(redis({ url: server.url, prefix: "taken:", ...OTHER }));
      await other.set("k", "theirs");
      const names = async () => (await server.bare.keys("taken:*:*")).sort();
      const before = await names();
      await expect(write(store)).rejects.toMatchObject({ code: "KV_INVALID_OPTION" });
      await expect(store.sweep()).rejects.toMatchObject({ code: "KV_INVALID_OPTION" });
      expect(await names()).toEqual(before);
      expect(await other.get("k")).toBe("theirs");
      await other.set("k", "theirs again");
    });

    test("a watched store says it again, too", async () => {
      await using store = createStore(redis({ url: server.url, prefix: "emptied:" }));
      const { promise: noticed, resolve } = Promise.withResolvers<void>();
      const subscription = await store.subscribe(({ type }) => {
        if (type === "resync") resolve();
      });
      await store.set("k", 1);
      await server.bare.flushall();
      // The watcher's signs of life have created the namespace's state again, as unlisted.
      await noticed;
      await store.set("k", 2);
      await using other = createStore(redis({ url: server.url, prefix: "emptied:", ...OTHER }));
      await expect(other.get("k")).rejects.toMatchObject({ code: "KV_INVALID_OPTION" });
      await subscription.unsubscribe();
    });

    test.each([true, false])(
      "a sweep says it again where nothing else was lost (ordered: %s)",
      async (ordered) => {
        const prefix = `swept ${ordered}:`;
        await using store = createStore(redis({ url: server.url, prefix, ordered }));
        await store.set("k", 1);
        // As if one node of a Cluster were emptied.
        expect(await server.bare.del(new Layout({ prefix, partitions: 1, ordered, db: 0 }).descriptor)).toBe(
          1,
        );
        await store.sweep();
        await using other = createStore(redis({ url: server.url, prefix, ordered, ...OTHER }));
        await expect(other.get("k")).rejects.toMatchObject({ code: "KV_INVALID_OPTION" });
        expect(await store.get("k")).toBe(1);
      },
    );
  });

  test("with partitions a namespace is one, and a commit across them is refused with nothing written", async () => {
    await using store = createStore(redis({ url: server.url, prefix: "parts:", partitions: 5 }));
    const keys = Array.from({ length: 700 }, (_, i) => `k${String(i).padStart(4, "0")}`);
    await store.setMany(keys.map((key, i) => [key, i]));
    expect(await collected(store.keys())).toEqual(keys);
    expect(await collected(store.keys({ reverse: true, limit: 300 }))).toEqual(
      keys.toReversed().slice(0, 300),
    );
    expect(await store.getMany(keys)).toEqual(keys.map((_, i) => i));
    expect(await store.count({ gte: "k0100", lt: "k0200" })).toBe(100);
    const atomic = store.atomic();
    for (const key of keys.slice(0, 20)) atomic.set(key, "changed");
    await expect(atomic.commit()).rejects.toMatchObject({ code: "KV_UNSUPPORTED" });
    expect(await store.get("k0000")).toBe(0);
    expect(await store.clear()).toBe(700);
  });
});
