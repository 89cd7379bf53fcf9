import { join } from "node:path";
import {
  type Adapter,
  type CreateStoreOptions,
  createStore,
  forward,
  KvError,
  namespaceOf,
  type Store,
} from "@kv/core";
import { memory } from "@kv/memory";
import { sqlite } from "@kv/sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { type TieredAdapter, type TieredOptions, tiered } from "../src/index.ts";
import { type Controlled, controlled, until } from "./controlled.ts";
import { scratchDirectory } from "./scratch.ts";

interface Opened {
  readonly adapter: TieredAdapter;
  readonly store: Store;
  readonly near: Controlled;
  readonly far: Controlled;
  /** A store over the far tier itself, as another process has it. */
  readonly other: Store;
}

function opened(
  options: Partial<TieredOptions> & { readonly farInner?: Adapter } = {},
  storeOptions: CreateStoreOptions = {},
): Opened {
  const { farInner = memory(), near: nearInner = memory(), ...rest } = options;
  const near = controlled(nearInner);
  const far = controlled(farInner);
  const adapter = tiered({ near: near.adapter, far: far.adapter, ...rest });
  const store = createStore(adapter, storeOptions);
  onTestFinished(() => store.close());
  return { adapter, store, near, far, other: createStore(farInner) };
}

describe("reads", () => {
  it("are answered by the far tier once, and then by the near tier, with the same value and metadata", async () => {
    const { adapter, store, far } = opened({
      farInner: sqlite({ path: join(scratchDirectory(), "far.db") }),
    });
    await store.set("k", { a: [1] }, { ttl: "1h", policy: "evict", metadata: { by: "ada" } });
    // The first one begins to watch.
    await until(async () => (await store.get("k")) !== undefined && adapter.metrics.hits > 0);
    expect(far.calls, "what it writes itself it need not be told").toContain("watch others");
    far.calls.length = 0;
    const fromNear = await store.getEntry("k");
    const valueFromNear = await store.get("k");
    expect(far.calls).toEqual([]);
    await store.updatePolicy("k", "evict");
    const fromFar = await store.getEntry("k");
    expect(far.calls).toContain("read");
    expect(fromNear).toEqual({
      ...fromFar,
      metadata: { ...fromFar?.metadata, size: fromNear?.metadata.size },
    });
    expect(valueFromNear).toEqual({ a: [1] });
  });

  it("of absent keys leave nothing behind", async () => {
    const { store, other, adapter } = opened();
    expect(await store.get("k")).toBeUndefined();
    await other.set("k", 1);
    expect(await store.get("k")).toBe(1);
    expect(adapter.metrics).toEqual({ hits: 0, misses: 2, pending: 0, lag: 0 });
  });

  it("find no copy past the far tier's deadline, whatever the near tier's clock says", async () => {
    let now = 1_000_000;
    const { store } = opened({ farInner: memory({ clock: () => now }) });
    await store.set("k", 1, { ttl: 10 });
    expect(await store.get("k")).toBe(1);
    expect(await store.get("k")).toBe(1);
    now += 10_000;
    expect(await store.get("k")).toBeUndefined();
  });

  it("ask the far tier again when a copy is older than ttl", async () => {
    let now = 1_000_000;
    const { adapter, store } = opened({ near: memory({ clock: () => now }), ttl: 5 });
    await store.set("k", 1);
    await store.get("k");
    await store.get("k");
    expect(adapter.metrics).toMatchObject({ hits: 1, misses: 1 });
    now += 5000;
    await store.get("k");
    expect(adapter.metrics).toMatchObject({ hits: 1, misses: 2 });
  });

  it("of one tick reach a far tier that gathers reads as one", async () => {
    const { store, far } = opened({
      farInner: Object.assign(memory(), { batch: { read: true, commit: false } }),
    });
    await store.set("a", 1);
    far.calls.length = 0;
    expect(await Promise.all([store.get("a"), store.get("b"), store.getMany(["a", "c"])])).toEqual([
      1,
      undefined,
      [1, undefined],
    ]);
    expect(far.calls.filter((name) => name === "read")).toHaveLength(1);
  });
});

describe("a copy is never older than what was acknowledged", () => {
  it("where a read was under way while the entry was written", async () => {
    const { adapter, store, far } = opened();
    await store.set("k", "old");
    await store.get("other");
    const held: (() => void)[] = [];
    far.held = held;
    // Written past the store, because the store's own write would wait for its read.
    const reading = adapter.read(namespaceOf([]), ["k"]);
    expect(held).toHaveLength(1);
    far.held = undefined;
    await store.set("k", "new");
    for (const answer of held) answer();
    expect((await reading)[0]?.payload).toBe("old");
    expect(await store.get("k")).toBe("new");
  });

  it("where a write that was given up takes effect late", async () => {
    const path = join(scratchDirectory(), "far.db");
    const { adapter, store, far } = opened({ farInner: sqlite({ path }) });
    await store.set("k", "old");
    await until(async () => (await store.get("k")) === "old" && far.calls.includes("watch others"));
    far.mode = "silent";
    const { commit } = far.adapter;
    // Given up on by a middleware in between, as a timeout does.
    Object.assign(far.adapter, {
      commit: (...args: Parameters<Adapter["commit"]>) => {
        void commit(...args);
        return Promise.reject(
          new KvError("KV_TIMEOUT", {
            adapter: "far",
            operation: "commit",
            message: "given up",
            retryable: false,
          }),
        );
      },
    });
    await expect(store.set("k", "new")).rejects.toMatchObject({ code: "KV_TIMEOUT" });
    far.mode = "answer";
    const { hits } = adapter.metrics;
    await until(async () => (await store.get("k")) === "old" && adapter.metrics.hits > hits);
    for (const make of far.swallowed) await make();
    await until(async () => (await store.get("k")) === "new");
  });

  it("where a write took effect and its answer was lost", async () => {
    const { store, far } = opened();
    await store.set("k", "old");
    expect(await store.get("k")).toBe("old");
    far.mode = "lose the answer";
    await expect(store.set("k", "new")).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    far.mode = "answer";
    expect(await store.get("k")).toBe("new");
  });

  it("where the namespace was cleared", async () => {
    const { store } = opened();
    await store.namespace("a", "b").set("k", 1);
    await store.namespace("a", "b").get("k");
    await store.clear({ namespaces: true });
    expect(await store.namespace("a", "b").get("k")).toBeUndefined();
  });

  it("where a clearing has taken effect and is not answered yet", async () => {
    const inner = memory();
    const answer = Promise.withResolvers<void>();
    const slow = forward(inner, {
      async clear(namespace, filter) {
        const removed = await inner.clear(namespace, filter);
        await answer.promise;
        return removed;
      },
    });
    const { adapter, store, far } = opened({ farInner: slow });
    far.watching = "deaf";
    await store.set("k", 1);
    expect(await store.get("k")).toBe(1);
    const cleared = store.clear();
    await until(() => inner.count(namespaceOf([]), { start: "", end: undefined }) === 0);
    expect(await adapter.read(namespaceOf([]), ["k"])).toEqual([undefined]);
    answer.resolve();
    expect(await cleared).toBe(1);
  });

  it("where an earlier process left copies in a near tier that persists", async () => {
    const directory = scratchDirectory();
    const near = () => sqlite({ path: join(directory, "near.db") });
    const far = () => sqlite({ path: join(directory, "far.db") });
    // Never closed, like a process that crashed, so that it receives no changes.
    const deaf = controlled(far());
    deaf.watching = "deaf";
    await using crashed = createStore(tiered({ near: near(), far: deaf.adapter }));
    await crashed.set("k", "old");
    await until(async () => (await crashed.get("k")) === "old" && (await copiesIn(near())) > 0);
    {
      await using other = createStore(far());
      await other.set("k", "new");
    }
    const adapter = tiered({ near: near(), far: far() });
    await using store = createStore(adapter);
    const seen = new Set<unknown>();
    await until(async () => {
      seen.add(await store.get("k"));
      return adapter.metrics.hits > 0;
    });
    expect([...seen]).toEqual(["new"]);
  });

  it("nor of another far tier, where two adapters have one near tier", async () => {
    const near = memory();
    const stores = [1, 2].map(() => {
      const adapter = tiered({ near, far: memory() });
      const store = createStore(adapter);
      onTestFinished(() => store.close());
      return { store, adapter };
    });
    for (const [i, { store }] of stores.entries()) await store.set("k", i);
    for (let round = 0; round < 3; round++)
      for (const [i, { store }] of stores.entries()) expect(await store.get("k")).toBe(i);
    expect(stores.every(({ adapter }) => adapter.metrics.hits > 0)).toBe(true);
  });

  it("where the near tier fails", async () => {
    const { store, near } = opened();
    await store.set("k", "old");
    await store.get("k");
    near.mode = "fail";
    await store.set("k", "new");
    expect(await store.get("k")).toBe("new");
    near.mode = "answer";
    expect(await store.get("k")).toBe("new");
  });
});

describe("changes by others", () => {
  it("reach the copies of another process's adapter", async () => {
    const path = join(scratchDirectory(), "far.db");
    const { adapter, store } = opened({ farInner: sqlite({ path, watchInterval: 5 }) });
    await using other = createStore(sqlite({ path }));
    await store.set("k", 1);
    await until(async () => (await store.get("k")) === 1 && adapter.metrics.hits > 0);
    await other.set("k", 2);
    await until(async () => (await store.get("k")) === 2);
    expect(adapter.capabilities.linearizable).toBe(false);
  });

  it("that may have been missed leave no copy behind", async () => {
    const { store, far, other } = opened();
    far.watching = "deaf";
    await store.set("k", 1);
    await store.get("k");
    await other.set("k", 2);
    expect(await store.get("k"), "the change was not reported").toBe(1);
    far.tell([{ type: "resync" }]);
    expect(await store.get("k")).toBe(2);
  });

  it("that could not be told of are seen, because there are no copies until they can", async () => {
    const { adapter, store, far, other } = opened();
    far.watching = "fail";
    await store.set("k", 1);
    await store.get("k");
    await other.set("k", 2);
    expect(await store.get("k")).toBe(2);
    expect(adapter.metrics.hits).toBe(0);
    far.watching = "answer";
    await until(async () => (await store.get("k")) === 2 && adapter.metrics.hits > 0);
  });

  it("are told to watchers after the copy is gone", async () => {
    const { adapter, store, other } = opened();
    await store.set("k", 1);
    const told: unknown[] = [];
    // Before anything was read, so that the copies are the second to watch.
    await adapter.watch?.(namespaceOf([]), { start: "", end: undefined }, () => {
      const read = adapter.read(namespaceOf([]), ["k"]);
      told.push(read instanceof Promise ? "late" : read[0]?.payload);
    });
    expect(await store.get("k")).toBe(1);
    expect(await store.get("k")).toBe(1);
    await other.set("k", 2);
    expect(told).toEqual([2]);
  });

  it("that a copy does not show yet keep no update from succeeding", async () => {
    const { store, far, other } = opened();
    far.watching = "deaf";
    await store.set("n", 1);
    await store.get("n");
    await other.set("n", 10);
    await store.update("n", (value) => Number(value) + 1);
    expect(await other.get("n")).toBe(11);
  });

  it("that a copy does not show yet keep no transaction from succeeding that only read it", async () => {
    const { store, far, other } = opened();
    far.watching = "deaf";
    await store.set("read", 1);
    await store.get("read");
    await other.set("read", 10);
    await store.transaction(async (tx) => {
      tx.set("written", Number(await tx.get("read")) + 1);
    });
    expect(await other.get("written")).toBe(11);
  });
});

describe("a far tier that never answers", () => {
  it("leaves what the near tier has readable, and the rest is KV_TIMEOUT", async () => {
    const { store, far } = opened({}, { timeout: 0.05 });
    await store.set("near", 1);
    await store.get("near");
    far.mode = "silent";
    await expect(store.get("far")).rejects.toMatchObject({ code: "KV_TIMEOUT" });
    await expect(store.set("far", 1)).rejects.toMatchObject({ code: "KV_TIMEOUT" });
    await expect(store.count()).rejects.toMatchObject({ code: "KV_TIMEOUT" });
    expect(await store.get("near")).toBe(1);
  });
});

describe("options", () => {
  it.each<[string, Partial<TieredOptions>, RegExp]>([
    ["no near tier", { near: undefined as unknown as Adapter }, /near must be an adapter/],
    ["a URL for an adapter", { far: "redis://localhost" as unknown as Adapter }, /far must be an adapter/],
    ["a write that is none", { write: "around" as "through" }, /"through" or "behind", not "around"/],
    ["an option of the other kind", { maxPending: 5 }, /maxPending applies only with write: "behind"/],
    ["a bad number", { write: "behind", batchSize: 0 }, /batchSize must be a positive integer/],
    ["an unknown one", { size: 3 } as Partial<TieredOptions>, /unknown option "size"/],
  ])("refuse %s", (_, options, message) => {
    const make = () => tiered({ near: memory(), far: memory(), ...options });
    expect(make).toThrow(KvError);
    expect(make).toThrow(message);
  });

  it("refuse the same adapter twice", () => {
    const both = memory();
    expect(() => tiered({ near: both, far: both })).toThrow(/the same adapter/);
  });

  it("want a ttl where the far tier is shared and cannot be watched", () => {
    const far = memory();
    const blind = Object.assign(far, { capabilities: { ...far.capabilities, shared: true, watch: false } });
    expect(() => tiered({ near: memory(), far: blind })).toThrow(/ttl is required.*set ttl/);
    expect(tiered({ near: memory(), far: blind, ttl: "1s" }).name).toBe("tiered");
  });

  it("refuse to write behind over partitions", () => {
    const far = memory();
    const parted = Object.assign(far, { capabilities: { ...far.capabilities, atomic: "partition" } });
    expect(() => tiered({ near: memory(), far: parted, write: "behind" })).toThrow(/KV|partitions/);
    const near = forward(sqlite({ path: ":memory:" }), {
      capabilities: { ...sqlite({ path: ":memory:" }).capabilities, persistent: true, atomic: "partition" },
    });
    expect(() => tiered({ near, far: memory(), write: "behind" })).toThrow(
      /near tier that persists.*partitions/,
    );
  });
});

async function copiesIn(near: Adapter): Promise<number> {
  await using store = createStore(near);
  let copies = 0;
  for (const path of await store.namespace("@kv/tiered", "copies").listNamespaces())
    copies += await store.namespace("@kv/tiered", "copies", ...path).count();
  return copies;
}
