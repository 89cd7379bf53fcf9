import { join } from "node:path";
import {
  type Adapter,
  type CreateStoreOptions,
  createStore,
  forward,
  namespaceOf,
  type Store,
} from "@kv/core";
import { leveldb } from "@kv/leveldb";
import { memory } from "@kv/memory";
import { sqlite } from "@kv/sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { type TieredAdapter, type TieredOptions, tiered } from "../src/index.ts";
import { type Controlled, controlled, until } from "./controlled.ts";
import { scratchDirectory } from "./scratch.ts";

const ROOT = namespaceOf([]);

interface Opened {
  readonly adapter: TieredAdapter;
  readonly store: Store;
  readonly far: Controlled;
  /** Over the far tier itself. */
  readonly behind: Store;
}

function opened(options: Partial<TieredOptions> = {}, storeOptions: CreateStoreOptions = {}): Opened {
  const { near = memory(), far: farInner = memory(), ...rest } = options;
  const far = controlled(farInner);
  const settings = { backoff: () => 5, timeout: 0.2, closeTimeout: 0.2, ...rest };
  const adapter = tiered({ near, far: far.adapter, write: "behind", ...settings });
  const store = createStore(adapter, { sweepInterval: null, ...storeOptions });
  onTestFinished(async () => {
    far.mode = "answer";
    far.release();
    await store.close().catch((error: unknown) => {
      if (!String(error).includes("acknowledged changes are lost")) throw error;
    });
  });
  return { adapter, store, far, behind: createStore(farInner) };
}

describe("options of more than 24.8 days, the longest that a timer holds", () => {
  it("let closing flush, and the far tier answer, in their own time", async () => {
    const path = join(scratchDirectory(), "far.db");
    const limits = { timeout: "60d", closeTimeout: "60d", backoff: () => 1e12 } as const;
    const { store, far } = opened({ far: sqlite({ path }), ...limits });
    await store.set("k", 1);
    far.held = [];
    await store.set("k", 2);
    let closed = false;
    const closing = store.close().then(() => {
      closed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(closed).toBe(false);
    far.release();
    await closing;
    await using behind = createStore(sqlite({ path }));
    expect(await behind.get("k")).toBe(2);
  });

  it("let a write wait for a clearing", async () => {
    const { store, far } = opened({ timeout: "60d" });
    await store.set("k", 1);
    await store.count();
    far.held = [];
    const cleared = store.clear();
    const written = store.set("k", 2);
    await new Promise((resolve) => setTimeout(resolve, 50));
    far.release();
    await Promise.all([cleared, written]);
    expect(await store.get("k")).toBe(2);
  });
});

describe("a write", () => {
  it("is acknowledged and read while the far tier never answers, and gets there when it does", async () => {
    const { adapter, store, far, behind } = opened();
    far.mode = "silent";
    const revision = await store.set("k", { a: 1 }, { metadata: { by: "ada" } });
    await store.setMany([
      ["l", 1],
      ["m", 2],
    ]);
    expect(await store.get("k")).toEqual({ a: 1 });
    expect(await store.getMany(["l", "m"])).toEqual([1, 2]);
    expect(adapter.metrics.pending).toBe(3);
    expect(adapter.metrics.lag).toBeGreaterThan(0);
    expect(await behind.has("k")).toBe(false);
    far.mode = "answer";
    await until(() => adapter.metrics.pending === 0);
    expect(await behind.getMany(["k", "l", "m"])).toEqual([{ a: 1 }, 1, 2]);
    expect(adapter.metrics.lag).toBe(0);
    expect((await store.getMetadata("k"))?.revision).toBe(revision);
  });

  it("that has to know of an entry which only the far tier has fails as the far tier does, and changes nothing", async () => {
    const { store, far, behind } = opened();
    await behind.set("n", 5);
    await store.has("other");
    far.mode = "silent";
    await expect(store.increment("n")).rejects.toMatchObject({ code: "KV_TIMEOUT" });
    far.mode = "fail";
    await expect(store.create("new", 1)).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    await expect(store.delete("n")).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    far.mode = "answer";
    expect(await store.increment("n")).toBe(6);
  });

  it("on what the near tier knows needs no far tier", async () => {
    const { store, far } = opened();
    await store.set("n", 1);
    far.mode = "fail";
    expect(await store.increment("n", 4)).toBe(5);
    expect(await store.create("n", 1)).toBeUndefined();
    expect(await store.delete("n")).toBe(true);
    expect(await store.delete("n")).toBe(false);
    expect(await store.create("n", 1)).toEqual(expect.any(String));
    expect(await store.update("n", (value) => Number(value) + 1)).toBe(2);
  });

  it("keeps createdAt of an entry that only the far tier knew, without waiting for it", async () => {
    let now = 1000;
    const { store, far, adapter } = opened({ far: memory({ clock: () => now }) });
    await store.set("k", 1);
    await adapter.flush();
    await store.clear({ prefix: "nothing" });
    now = 2000;
    far.mode = "fail";
    await store.set("k", 2);
    far.mode = "answer";
    const before = await store.getMetadata("k");
    await adapter.flush();
    const after = await store.getMetadata("k");
    expect(before?.createdAt).toEqual(new Date(1000));
    expect(before?.updatedAt).toEqual(new Date(2000));
    expect(after).toEqual(before);
  });

  it("beyond maxPending waits for the far tier, and is KV_CAPACITY where that is away", async () => {
    const { adapter, store, far } = opened({ maxPending: 10, batchSize: 4 });
    await Promise.all(Array.from({ length: 100 }, (_, i) => store.set(`k${i}`, i)));
    expect(adapter.metrics.pending).toBeLessThanOrEqual(10);
    await adapter.flush();
    far.mode = "fail";
    for (let i = 0; i < 10; i++) await store.set(`k${i}`, 100 + i);
    await expect(store.set("k", 1)).rejects.toMatchObject({ code: "KV_CAPACITY", retryable: true });
    expect(await store.get("k9")).toBe(109);
    far.mode = "answer";
    await until(() => adapter.metrics.pending === 0);
    await store.set("k", 1);
  });
});

describe("flushing", () => {
  it("brings the changes of many commits in few, and those of one commit together", async () => {
    const { adapter, store, far } = opened({ batchSize: 50 });
    await store.has("k");
    for (let i = 0; i < 100; i++) await store.set(`k${i % 40}`, i);
    const atomic = store.atomic();
    for (let i = 0; i < 60; i++) atomic.set(`together${i}`, i);
    await atomic.commit();
    await adapter.flush();
    expect(far.calls.filter((name) => name === "commit").length).toBeLessThanOrEqual(4);
    expect(await store.count()).toBe(100);
  });

  it("asks the far tier for nothing that the last flush left there, and has nobody watch it", async () => {
    let now = 1_790_000_000_000;
    const { adapter, store, far, behind } = opened({ far: memory({ clock: () => now }) });
    await store.set("k", 1);
    await adapter.flush();
    await store.set("k", 2, { ttl: 10 });
    far.calls.length = 0;
    await adapter.flush();
    expect(await store.get("k")).toBe(2);
    expect(far.calls).toEqual(["commit"]);
    expect(await behind.get("k")).toBe(2);
    // A remembered state that is no longer true is detected.
    now += 20_000;
    await store.set("k", 3);
    await adapter.flush();
    expect(await behind.get("k")).toBe(3);
    expect((await store.getEntry("k"))?.metadata.createdAt.getTime()).toBe(now);
    expect(await store.clear()).toBe(1);
    await store.set("k", 4);
    await adapter.flush();
    expect(await behind.get("k")).toBe(4);
  });

  it("leaves turns of the event loop to others where the far tier answers at once", async () => {
    const { adapter, store, far } = opened({ batchSize: 10 });
    far.mode = "fail";
    await store.setMany(Array.from({ length: 500 }, (_, i) => [`k${i}`, i]));
    await expect(adapter.flush()).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    far.mode = "answer";
    far.calls.length = 0;
    let turns = 0;
    let done = false;
    const flushed = adapter.flush().finally(() => {
      done = true;
    });
    for (; !done; turns++) await new Promise((resolve) => setImmediate(resolve));
    await flushed;
    const commits = far.calls.filter((name) => name === "commit").length;
    expect(commits).toBeGreaterThanOrEqual(50);
    expect(turns).toBeGreaterThanOrEqual(commits / 2);
  });

  it("replaces the copy that was there, also by one that the near tier does not take", async () => {
    const { adapter, store, far } = opened({ near: memory({ maxBytes: 2000 }) });
    await store.set("k", "small");
    await adapter.flush();
    expect(await store.get("k")).toBe("small");
    await store.set("k", "large".repeat(1000));
    await adapter.flush();
    expect(await store.get("k")).toBe("large".repeat(1000));
    await store.delete("k");
    await adapter.flush();
    far.calls.length = 0;
    expect(await store.get("k")).toBeUndefined();
    expect(far.calls).toEqual(["read"]);
  });

  it("leaves the far tier in a state that the near tier had, whenever it stops", async () => {
    const inner = memory();
    const { adapter, store, far } = opened({ far: inner, batchSize: 3 });
    await store.setMany([
      ["a", 0],
      ["b", 0],
    ]);
    far.mode = "fail";
    for (let i = 1; i <= 30; i++) await store.atomic().set("a", i).set("b", i).set(`c${i}`, i).commit();
    const seen = new Set<string>();
    await inner.watch?.(ROOT, { start: "", end: undefined }, async () => {
      // Answered at once, whatever is flushed next.
      const pair = await inner.read(ROOT, ["a", "b"]);
      seen.add(pair.map((entry) => entry?.payload).join());
    });
    far.mode = "answer";
    await adapter.flush();
    expect(seen.size).toBeGreaterThan(10);
    for (const pair of seen) expect(pair).toMatch(/^(\d+),\1$/);
  });

  it("does not write twice what was written while the answer was lost", async () => {
    const { adapter, store, far, behind } = opened();
    await store.has("k");
    far.mode = "lose the answer";
    await store.set("k", 1);
    await until(async () => (await behind.get("k")) === 1);
    const first = await behind.getMetadata("k");
    far.mode = "answer";
    await adapter.flush();
    expect(await behind.getMetadata("k")).toEqual(first);
  });

  it("is not undone by an attempt that was given up and takes effect late", async () => {
    const { adapter, store, far, behind } = opened({ timeout: 0.05 });
    await store.set("k", "first");
    await adapter.flush();
    const read = far.adapter.read;
    far.mode = "answer";
    await store.has("k");
    // Reads answer, commits do not.
    Object.assign(far.adapter, {
      read: (...args: Parameters<Adapter["read"]>) => {
        const { mode } = far;
        far.mode = "answer";
        try {
          return read(...args);
        } finally {
          far.mode = mode;
        }
      },
    });
    far.mode = "silent";
    await store.set("k", "late");
    await until(() => far.swallowed.length > 0);
    await expect(adapter.flush()).rejects.toMatchObject({ code: "KV_TIMEOUT" });
    far.mode = "answer";
    await store.set("k", "latest");
    await adapter.flush();
    for (const make of far.swallowed) await make();
    expect(await behind.get("k")).toBe("latest");
  });

  it("of a delete waits for an attempt that was given up and could bring the key back", async () => {
    const { adapter, store, far, behind } = opened({ timeout: 0.05, backoff: () => 1 });
    await store.has("k");
    const gate = Promise.withResolvers<void>();
    const { commit } = far.adapter;
    Object.assign(far.adapter, {
      commit: (...args: Parameters<Adapter["commit"]>) => gate.promise.then(() => commit(...args)),
    });
    await store.set("k", "late");
    await expect(adapter.flush()).rejects.toMatchObject({ code: "KV_TIMEOUT" });
    await store.delete("k");
    await expect(adapter.flush()).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    expect(adapter.metrics.pending).toBe(2);
    gate.resolve();
    await until(() => adapter.metrics.pending === 0);
    expect(await behind.has("k")).toBe(false);
    expect(await store.has("k")).toBe(false);
  });

  it("of a key that is created and deleted again waits for an attempt to create it that was given up", async () => {
    const { adapter, store, far, behind } = opened({ timeout: 0.05, backoff: () => 1 });
    await store.has("k");
    const gate = Promise.withResolvers<void>();
    const { commit } = far.adapter;
    let holding = true;
    Object.assign(far.adapter, {
      commit: (...args: Parameters<Adapter["commit"]>) =>
        holding ? gate.promise.then(() => commit(...args)) : commit(...args),
    });
    await store.set("k", "late");
    await expect(adapter.flush()).rejects.toMatchObject({ code: "KV_TIMEOUT" });
    holding = false;
    await adapter.flush();
    expect(await behind.get("k")).toBe("late");
    await store.delete("k");
    await expect(adapter.flush()).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    gate.resolve();
    await until(() => adapter.metrics.pending === 0);
    expect(await behind.has("k")).toBe(false);
  });

  it("of an older state hides no newer one", async () => {
    const { adapter, store, far } = opened();
    await store.has("k");
    far.held = [];
    // Answers what is held, and holds what comes then.
    const step = () => {
      const held = far.held ?? [];
      far.held = [];
      for (const answer of held) answer();
    };
    await store.set("k", "older");
    await until(() => far.held?.length === 1);
    await store.set("k", "newer");
    step();
    await until(() => far.calls.at(-1) === "commit" && far.held?.length === 1);
    step();
    await until(() => adapter.metrics.pending === 1 && far.held?.length === 1);
    expect(adapter.metrics.pending, "the older one was flushed").toBe(1);
    expect(adapter.read(ROOT, ["k"], true)).toMatchObject([{ payload: "newer" }]);
  });

  it("fails as the far tier does, and so does whatever needs it", async () => {
    const { adapter, store, far } = opened();
    await store.has("k");
    far.mode = "fail";
    await store.set("k", 1);
    await expect(adapter.flush()).rejects.toMatchObject({
      name: "KvError",
      code: "KV_UNAVAILABLE",
      operation: "flush",
    });
    await expect(store.count()).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    await expect(keysOf(store)).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    await expect(store.clear()).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    expect(await store.get("k")).toBe(1);
  });

  it("lets scans, counts and statistics see everything acknowledged", async () => {
    const { store } = opened();
    await store.setMany([
      ["a", 1],
      ["b", 2],
    ]);
    expect(await keysOf(store)).toEqual(["a", "b"]);
    await store.set("c", 3);
    expect(await store.count()).toBe(3);
    await store.delete("a");
    expect((await store.stats()).keys).toBe(2);
    await store.namespace("n").set("k", 1);
    expect(await store.listNamespaces()).toEqual([["n"]]);
  });
});

describe("watchers", () => {
  it("are told of a change when it is acknowledged, once, and in order", async () => {
    const { adapter, store, far } = opened();
    const told: unknown[] = [];
    await store.subscribe((change) => told.push([change.type, change.key, change.value]));
    far.mode = "fail";
    await store.set("k", 1);
    await store.set("l", 2);
    await until(() => told.length === 2);
    far.mode = "answer";
    await adapter.flush();
    await store.clear();
    await until(() => told.length === 4);
    expect(told).toEqual([
      ["set", "k", 1],
      ["set", "l", 2],
      ["delete", "k", undefined],
      ["delete", "l", undefined],
    ]);
  });

  it("are told that an entry expired, flushed or not, and never of one that was written again", async () => {
    let now = 1000;
    const { adapter, store, far } = opened({ far: memory({ clock: () => now }) });
    const told: unknown[] = [];
    await store.subscribe((change) => told.push([change.type, change.key]));
    await store.setMany(
      [
        ["flushed", 1],
        ["rewritten", 1],
      ],
      { ttl: 1 },
    );
    await adapter.flush();
    far.mode = "fail";
    await store.set("waiting", 1, { ttl: 1 });
    await store.set("rewritten", 2);
    now += 1000;
    far.mode = "answer";
    await store.sweep();
    await until(() => told.length >= 6);
    expect(told.slice(4).toSorted()).toEqual([
      ["expire", "flushed"],
      ["expire", "waiting"],
    ]);
    expect(await store.get("rewritten")).toBe(2);
  });
});

describe("closing", () => {
  it("flushes", async () => {
    const far = memory();
    const kept = Object.assign(far, { close: () => undefined });
    await using behind = createStore(kept);
    const store = createStore(tiered({ near: memory(), far: kept, write: "behind" }));
    await store.set("k", 1);
    await store.close();
    expect(await behind.get("k")).toBe(1);
  });

  it("says how much is lost where neither tier could keep it", async () => {
    const { store, far } = opened({ closeTimeout: 0.05 });
    far.mode = "silent";
    await store.setMany([
      ["a", 1],
      ["b", 2],
    ]);
    await expect(store.close()).rejects.toMatchObject({
      code: "KV_UNAVAILABLE",
      message: expect.stringContaining("2 acknowledged changes are lost"),
    });
  });
});

describe("a clearing that the far tier does not answer", () => {
  it("keeps neither writes waiting for ever nor the store from closing", async () => {
    const inner = memory();
    const far = forward(inner, { clear: () => new Promise<number>(() => undefined) });
    const adapter = tiered({ near: memory(), far, write: "behind", timeout: 0.1, closeTimeout: 0.1 });
    const store = createStore(adapter, { timeout: 1 });
    await store.set("a", 1);
    const cleared = expect(store.namespace("n").clear()).rejects.toMatchObject({ code: "KV_TIMEOUT" });
    await until(() => adapter.metrics.pending === 0);
    await expect(store.set("b", 2)).rejects.toMatchObject({ code: "KV_UNAVAILABLE", retryable: true });
    await cleared;
    await store.close();
  });
});

describe("a near tier that persists", () => {
  it("takes no more than maxPending at a time, of however many namespaces", async () => {
    const { adapter, store, far } = opened({
      near: leveldb({ path: join(scratchDirectory(), "near") }),
      maxPending: 10,
    });
    await store.has("k");
    far.mode = "silent";
    const outcomes = Array.from({ length: 100 }, (_, i) =>
      store
        .namespace(`n${i}`)
        .set("k", i)
        .catch(() => undefined),
    );
    await until(() => adapter.metrics.pending > 0);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(adapter.metrics.pending).toBe(10);
    far.mode = "answer";
    await Promise.all(outcomes);
  });

  it("takes what is called while the journal's last commit is being told", async () => {
    const { adapter } = opened({ near: leveldb({ path: join(scratchDirectory(), "near") }) });
    await adapter.open();
    const set = { type: "set", key: "k", payload: "1", encoding: "json", expiresAt: undefined } as const;
    const commits = [{ checks: [], mutations: [{ ...set, policy: "persist", user: undefined } as const] }];
    for (let hops = 0; hops < 10; hops++) {
      await adapter.commit(ROOT, commits);
      for (let hop = 0; hop < hops; hop++) await undefined;
      expect(await adapter.commit(ROOT, commits)).toMatchObject([{ status: "ok" }]);
    }
    await adapter.close();
  });

  const far = (directory: string) => sqlite({ path: join(directory, "far.db") });
  const near = (directory: string) => leveldb({ path: join(directory, "near") });

  it("keeps what could not be flushed until the next process flushes it", async () => {
    const directory = scratchDirectory();
    {
      const { store, far: away } = opened({ near: near(directory), far: far(directory) });
      await store.set("gone", 1);
      await store.has("gone");
      away.mode = "silent";
      await store.set("k", new Uint8Array([1, 2]), { ttl: "1h", policy: "evict", metadata: { by: "ada" } });
      await store.atomic().set("a", 1).set("b", "two").commit();
      await store.close();
    }
    {
      await using behind = createStore(far(directory));
      expect(await behind.has("k")).toBe(false);
    }
    const { adapter, store } = opened({ near: near(directory), far: far(directory) });
    expect(await store.get("k")).toEqual(new Uint8Array([1, 2]));
    expect(adapter.capabilities.persistent).toBe(true);
    const before = await store.getEntry("k");
    await adapter.flush();
    expect(await store.getEntry("k")).toEqual(before);
    await store.close();
    await using journal = createStore(near(directory));
    expect(await journal.namespace("@kv/tiered", "journal").count({ lt: "a" })).toBe(0);
    await using behind = createStore(far(directory));
    expect(await behind.getMany(["gone", "k", "a", "b"])).toEqual([1, new Uint8Array([1, 2]), 1, "two"]);
  });

  it("acknowledges nothing that it did not take, and nobody sees it", async () => {
    const directory = scratchDirectory();
    const journal = controlled(near(directory));
    const { store, adapter } = opened({ near: journal.adapter, far: far(directory) });
    await store.set("k", 1);
    await adapter.flush();
    journal.mode = "fail";
    await expect(store.set("k", 2)).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    journal.mode = "answer";
    expect(await store.get("k")).toBe(1);
  });

  it("does not bring back, after a crash, a write of which the answer was lost and that later writes replaced", async () => {
    const directory = scratchDirectory();
    const journal = controlled(near(directory));
    const { store, adapter } = opened({ near: journal.adapter, far: far(directory) });
    await store.set("k", "before");
    journal.mode = "lose the answer";
    await expect(store.set("k", "doubtful")).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    journal.mode = "answer";
    await store.set("k", "after");
    await adapter.flush();
    await store.close();
    const again = opened({ near: near(directory), far: far(directory) });
    await expect(again.adapter.flush(), "nothing is known of the journal yet").rejects.toMatchObject({
      code: "KV_UNAVAILABLE",
      operation: "flush",
    });
    await again.store.has("k");
    await again.adapter.flush();
    expect(await again.store.get("k")).toBe("after");
  });

  it("says so where its journal was altered", async () => {
    const directory = scratchDirectory();
    {
      const inner = near(directory);
      await inner.open();
      await inner.commit(namespaceOf(["@kv/tiered", "journal"]), [
        {
          checks: [],
          mutations: [
            {
              type: "set",
              key: "0000000000000001/0000",
              payload: "1",
              encoding: "json",
              expiresAt: undefined,
              policy: "persist",
              user: '{"by":"somebody"}',
            },
          ],
        },
      ]);
      await inner.close();
    }
    const { store } = opened({ near: near(directory), far: far(directory) });
    await expect(store.get("k")).rejects.toMatchObject({ code: "KV_CORRUPT" });
  });
});

async function keysOf(store: Store): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of store.keys()) keys.push(key);
  return keys;
}
