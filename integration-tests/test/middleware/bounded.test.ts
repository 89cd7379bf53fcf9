import { type Adapter, bounded, createStore, forward, type Store } from "@kv/core";
import { memory } from "@kv/memory";
import { describe, expect, it } from "vitest";
import { collected } from "./collected.ts";
import { controlled, keeping } from "./controlled.ts";

const text = new TextEncoder();

async function keysOf(store: Store): Promise<string[]> {
  return collected(store.keys());
}

describe("bounded", () => {
  it("evicts what was not used for longest: reads and writes are uses, scans and metadata of others are none", async () => {
    const evicted: unknown[] = [];
    const store = createStore(memory(), {
      middleware: [bounded({ maxEntries: 3, onEvict: (...of) => evicted.push(of) })],
    });
    await store.set("a", { n: 1 });
    await store.set("b", 2);
    await store.set("c", 3);
    await store.get("a");
    await collected(store.entries());
    await store.count();
    await store.set("d", 4);
    expect(evicted).toEqual([["b", 2, "maxEntries", []]]);
    await store.set("c", 33);
    await store.namespace("x").set("e", 5);
    expect(evicted.slice(1)).toEqual([["a", { n: 1 }, "maxEntries", []]]);
    await store.set("f", 6);
    expect(await keysOf(store)).toEqual(["c", "f"]);
    expect(await keysOf(store.namespace("x"))).toEqual(["e"]);
  });

  it("agrees with the plainest model through thousands of operations", async () => {
    for (const [late, seed] of [
      [false, 1],
      [false, 2],
      [true, 3],
    ] as const) {
      const backend = controlled(memory());
      backend.late = late;
      const evictions: string[] = [];
      const store = createStore(backend.adapter, {
        middleware: [bounded({ maxEntries: 8, onEvict: (key) => evictions.push(key) })],
      });
      const model = new Map<string, number>();
      const expected: string[] = [];
      let random = seed;
      const next = (below: number): number => {
        random = (random * 1103515245 + 12345) % 2 ** 31;
        return Math.floor((random / 2 ** 31) * below);
      };
      for (let i = 0; i < 3000; i++) {
        const key = `k${next(16)}`;
        const known = model.get(key);
        switch (next(6)) {
          case 0:
            await store.delete(key);
            model.delete(key);
            continue;
          case 1:
          case 2:
            expect(await store.get(key)).toBe(known);
            break;
          case 3:
            await store.increment(key);
            model.set(key, (known ?? 0) + 1);
            break;
          default:
            await store.set(key, i);
            model.set(key, i);
        }
        const now = model.get(key);
        if (now === undefined) continue;
        model.delete(key);
        model.set(key, now);
        for (const oldest of [...model.keys()].slice(0, Math.max(0, model.size - 8))) {
          model.delete(oldest);
          expected.push(oldest);
        }
      }
      expect(evictions).toEqual(expected);
      expect(await keysOf(store)).toEqual([...model.keys()].sort());
    }
  });

  it("keeps within maxBytes: key, payload and user metadata", async () => {
    const evicted: unknown[] = [];
    const store = createStore(memory(), {
      middleware: [
        bounded({ maxEntries: 100, maxBytes: 100, onEvict: (key, _, reason) => evicted.push([key, reason]) }),
      ],
    });
    await store.set("a", "x".repeat(37)); // 1 + 39
    await store.set("b", new Uint8Array(39)); // 1 + 39
    await store.set("c", "é".repeat(8)); // 1 + 18
    expect(evicted).toEqual([]);
    await store.set("c", 1, { metadata: { of: "interest" } }); // 1 + 1 + 17
    expect(evicted).toEqual([]);
    await store.increment("c", 9);
    expect(evicted).toEqual([]);
    await store.increment("c", 90);
    expect(evicted).toEqual([["a", "maxBytes"]]);
  });

  it("refuses an entry that alone exceeds maxBytes, and nothing but its commit", async () => {
    const store = createStore(memory(), { middleware: [bounded({ maxEntries: 10, maxBytes: 50 })] });
    await store.set("k", "before");
    const [big, small, atomic] = await Promise.allSettled([
      store.set("k", "x".repeat(60)),
      store.set("other", 1),
      store.atomic().set("whole", 1).set("k", "x".repeat(60)).commit(),
    ]);
    expect(big).toMatchObject({
      status: "rejected",
      reason: { code: "KV_CAPACITY", key: "k", operation: "set" },
    });
    expect(atomic).toMatchObject({ status: "rejected", reason: { code: "KV_CAPACITY", key: "k" } });
    expect(small.status).toBe("fulfilled");
    expect(await store.getMany(["k", "other", "whole"])).toEqual(["before", 1, undefined]);
  });

  it("names the key as the caller wrote it, within a scope", async () => {
    const store = createStore(memory(), { middleware: [bounded({ maxEntries: 10, maxBytes: 50 })] });
    await expect(store.scope("user").set("k", "x".repeat(60))).rejects.toMatchObject({ key: "k" });
  });

  it("lets what is due go first, without a word", async () => {
    let now = 1e12;
    const evicted: unknown[] = [];
    const store = createStore(memory({ clock: () => now }), {
      middleware: [bounded({ maxEntries: 3, onEvict: (key) => evicted.push(key) })],
    });
    await store.set("old", 1);
    await store.set("older", 1);
    await store.set("brief", 1, { ttl: 10 });
    await store.updateTtl("older", 20);
    now += 15_000;
    await store.set("new", 1);
    expect(evicted).toEqual([]);
    await store.set("newer", 1);
    expect(evicted).toEqual(["old"]);
    now += 10_000;
    await store.set("newest", 1);
    expect(evicted).toEqual(["old"]);
    expect(await keysOf(store)).toEqual(["new", "newer", "newest"]);
  });

  it("takes no part in what deadlines that were changed said before", async () => {
    let now = 1e12;
    const evicted: unknown[] = [];
    const store = createStore(memory({ clock: () => now }), {
      middleware: [bounded({ maxEntries: 100, onEvict: (key) => evicted.push(key) })],
    });
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 100; i++) await store.set(`k${i}`, round, { ttl: 10 + ((i * 7) % 100) });
    }
    for (let i = 0; i < 50; i++) await store.updateTtl(`k${i}`, null);
    now += 200_000;
    await store.set("one", 1);
    await store.set("two", 1);
    expect(evicted).toEqual([]);
    expect(await store.count()).toBe(52);
  });

  it("gives its ttl to entries that would have no deadline, and leaves the others theirs", async () => {
    const now = 1e12;
    const store = createStore(memory({ clock: () => now }), {
      middleware: [bounded({ maxEntries: 100, ttl: 60 })],
    });
    const deadline = async (key: string): Promise<number | undefined> =>
      (await store.getMetadata(key))?.expiresAt?.getTime();
    await store.set("none", 1);
    await store.set("own", 1, { ttl: 5 });
    await store.set("own", 2, { keepTtl: true });
    await store.set("kept of nothing", 1, { keepTtl: true });
    await store.set("never", 1, { ttl: null });
    await store.increment("counted");
    await store.set("touched", 1, { ttl: 5 });
    await store.updateTtl("touched", null);
    expect(await deadline("own")).toBe(now + 5000);
    for (const key of ["none", "kept of nothing", "never", "counted", "touched"]) {
      expect(await deadline(key), key).toBe(now + 60_000);
    }
  });

  it("knows what was there when it was opened, by the order of the last writes", async () => {
    let now = 1e12;
    const backend = keeping(memory({ clock: () => now++ }));
    const before = createStore(backend);
    await before.set("c", 1);
    await before.namespace("x", "y").set("b", 1);
    await before.set("a", 1);
    await before.set("c", 2);
    await before.close();
    const evicted: unknown[] = [];
    const store = createStore(backend, {
      middleware: [
        bounded({ maxEntries: 2, onEvict: (key, value, _, path) => evicted.push([key, value, path]) }),
      ],
    });
    expect(await store.has("nothing")).toBe(false);
    expect(evicted).toEqual([]);
    await store.set("d", 1);
    expect(evicted).toEqual([
      ["b", 1, ["x", "y"]],
      ["a", 1, []],
    ]);
    expect(await keysOf(store)).toEqual(["c", "d"]);
  });

  it("closes what it opened where it cannot read what is there", async () => {
    const calls: string[] = [];
    const backend = forward(memory(), {
      scan: () => {
        throw new Error("unreadable");
      },
      close: () => {
        calls.push("close");
      },
    });
    const store = createStore(backend, { middleware: [bounded({ maxEntries: 1 })] });
    await expect(store.get("k")).rejects.toMatchObject({ code: "KV_BACKEND" });
    expect(calls).toEqual(["close"]);
  });

  it("forgets what was deleted or cleared", async () => {
    const evicted: unknown[] = [];
    const store = createStore(memory(), {
      middleware: [bounded({ maxEntries: 3, onEvict: (key) => evicted.push(key) })],
    });
    await store.setMany([
      ["a:1", 1],
      ["a:2", 1],
      ["b", 1],
    ]);
    await store.clear({ prefix: "a:" });
    await store.setCache("c", 1);
    await store.set("d", 1);
    await store.clearCache();
    await store.delete("d");
    await store.namespace("n").set("e", 1);
    await store.set("f", 1);
    expect(evicted).toEqual([]);
    await store.clear({ namespaces: true });
    await store.setMany([
      ["x", 1],
      ["y", 1],
      ["z", 1],
    ]);
    expect(evicted).toEqual([]);
  });

  it("does not evict what another writer wrote meanwhile", async () => {
    const inner = memory();
    const other = createStore(keeping(inner));
    let intruding = false;
    const racing: Adapter = forward(inner, {
      async read(namespace, keys) {
        const entries = await inner.read(namespace, keys);
        // The eviction reads before it removes.
        if (intruding && keys.includes("a")) {
          intruding = false;
          await other.set("a", "newer");
        }
        return entries;
      },
    });
    const evicted: unknown[] = [];
    const store = createStore(racing, {
      middleware: [bounded({ maxEntries: 2, onEvict: (key) => evicted.push(key) })],
    });
    await store.set("a", "old");
    await store.set("b", 1);
    intruding = true;
    await store.set("c", 1);
    expect(evicted).toEqual(["b"]);
    expect(await other.get("a")).toBe("newer");
  });

  it("stays within its limit under concurrent writers, and tells of every entry once", async () => {
    const backend = controlled(memory());
    const evicted: string[] = [];
    const store = createStore(backend.adapter, {
      middleware: [bounded({ maxEntries: 10, onEvict: (key) => evicted.push(key) })],
    });
    await Promise.all(Array.from({ length: 500 }, (_, i) => store.set(`k${i}`, i)));
    expect(await store.count()).toBe(10);
    expect(new Set(evicted).size).toBe(490);
    expect(evicted.length).toBe(490);
  });

  it("keeps account of a write whose answer was lost", async () => {
    const backend = controlled(memory());
    const store = createStore(backend.adapter, { middleware: [bounded({ maxEntries: 2 })] });
    await store.set("a", 1);
    backend.lostAnswers = 1;
    await expect(store.set("b", 1)).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    await store.set("c", 1);
    expect(await keysOf(store)).toEqual(["b", "c"]);
  });

  it("goes on where onEvict throws, rejects, or writes to the store", async () => {
    const warnings: string[] = [];
    const heard = (warning: Error): void => {
      if (warning.name === "KvWarning") warnings.push(warning.message);
    };
    process.on("warning", heard);
    const archive: Record<string, unknown> = {};
    const store: Store = createStore(memory(), {
      middleware: [
        bounded({
          maxEntries: 1,
          onEvict(key, value) {
            archive[key] = value;
            if (key === "a") throw new Error("of the test");
            if (key === "b") void store.set("from the callback", 1);
            return Promise.reject(new Error("late, of the test")) as never;
          },
        }),
      ],
    });
    await store.set("a", 1);
    await store.set("b", text.encode("bytes"));
    await store.set("c", [1]);
    await store.set("d", 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off("warning", heard);
    expect(archive).toMatchObject({ a: 1, b: text.encode("bytes"), c: [1] });
    expect(await store.count()).toBe(1);
    expect(warnings.join()).toContain("onEvict of bounded() threw Error: of the test");
    expect(warnings.join()).toContain("late, of the test");
  });
});
