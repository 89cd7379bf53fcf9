import { createStore, forward, type MaybePromise, type StoredEntry } from "@kv/core";
import { afterEach, expect, it, vi } from "vitest";
import { FakeAdapter } from "./fake-adapter.ts";

/** A store whose adapter registers a watcher on demand, and how many watchers it has. */
function slow(timeout: number) {
  const { promise: registering, resolve: register } = Promise.withResolvers<() => void>();
  const watchers = { taken: 0 };
  const adapter = forward(new FakeAdapter({ capabilities: { watch: "local" } }), {
    watch: (): MaybePromise<() => void> => registering,
  });
  return {
    store: createStore(adapter, { timeout }),
    watchers,
    register: () => register(() => void watchers.taken++),
  };
}

it("a watcher that is registered after it was given up is taken off the adapter", async () => {
  const { store, watchers, register } = slow(0.01);
  await expect(store.subscribe(() => undefined)).rejects.toMatchObject({ code: "KV_TIMEOUT" });
  register();
  await expect.poll(() => watchers.taken).toBe(1);
  await store.close();
  expect(watchers.taken).toBe(1);
});

it("a watch that was left before it was registered is taken off the adapter once", async () => {
  const { store, watchers, register } = slow(5);
  await store.watch().return?.();
  register();
  await expect.poll(() => watchers.taken).toBe(1);
  await store.close();
  expect(watchers.taken).toBe(1);
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** An adapter with two pages, of which the first entry may be undecodable, and how many scans it began and ended. */
function paged(encoding = "json") {
  const scans = { begun: 0, ended: 0 };
  const inner = new FakeAdapter({ capabilities: { watch: "local" } });
  const entry = (key: string, written: string): StoredEntry => ({
    key,
    payload: "1",
    encoding: written,
    revision: "1",
    createdAt: 0,
    updatedAt: 0,
    expiresAt: undefined,
    policy: "persist",
    user: undefined,
    size: 1,
  });
  const adapter = forward(inner, {
    watch: () => () => undefined,
    async *scan() {
      scans.begun++;
      try {
        yield [entry("a", encoding)];
        yield [entry("b", "json")];
      } finally {
        scans.ended++;
      }
    },
  });
  return { adapter, scans };
}

it("a watch that is left while it tells what there is ends the scan", async () => {
  const { adapter, scans } = paged();
  const store = createStore(adapter);
  for await (const _ of store.watch({ initial: true })) break;
  await expect.poll(() => scans).toEqual({ begun: 1, ended: 1 });
  await store.close();
});

it("what cannot be decoded is left out of what there is, and the stream goes on", async () => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  const { adapter } = paged("nonsense");
  const store = createStore(adapter, { onCorrupt: "throw" });
  const seen: (string | undefined)[] = [];
  await store.subscribe(({ key }) => void seen.push(key), { initial: true });
  await expect.poll(() => seen).toEqual(["b"]);
  expect(warned).toHaveBeenCalledOnce();
  await store.close();
});

it("a watch that cannot tell what there is has ended, and is off the adapter", async () => {
  let watching = 0;
  const adapter = forward(new FakeAdapter({ capabilities: { watch: "local" } }), {
    watch: () => {
      watching++;
      return () => void watching--;
    },
    scan: () => {
      throw new Error("no answer");
    },
  });
  const store = createStore(adapter);
  const changes = store.watch({ initial: true });
  await expect(changes.next()).rejects.toMatchObject({ code: "KV_BACKEND" });
  expect(watching).toBe(0);
  expect(await changes.next()).toEqual({ done: true, value: undefined });
  await store.close();
});
