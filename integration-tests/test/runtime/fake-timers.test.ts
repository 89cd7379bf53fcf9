import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Adapter, Store } from "@kv/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startChild } from "../processes/child.ts";
import { SCRATCH } from "../scratch.ts";

/** Everything that a fake clock can take the place of, but `nextTick`, by which vitest and Node's own streams live. */
const ALL = [
  "setTimeout",
  "clearTimeout",
  "setInterval",
  "clearInterval",
  "setImmediate",
  "clearImmediate",
  "queueMicrotask",
  "Date",
  "performance",
  "hrtime",
] as const;

/** What a test's `useFakeTimers()` does in vitest, and in Jest. */
const FAKES: Record<string, () => void> = {
  "vitest's fakes": () => void vi.useFakeTimers(),
  "every fake there is": () => void vi.useFakeTimers({ toFake: [...ALL] }),
};

let directory: string;

beforeEach(() => {
  vi.resetModules();
  directory = mkdtempSync(join(SCRATCH, "kv-fake-timers-"));
});

afterEach(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true, force: true });
});

/** Imported anew by each test: with fakes in place, or before there are any. */
const ADAPTERS: Record<string, () => Promise<() => Adapter>> = {
  async memory() {
    const { memory } = await import("@kv/memory");
    return () => memory();
  },
  async sqlite() {
    const { sqlite } = await import("@kv/sqlite");
    return () => sqlite({ path: join(directory, "store.db"), watchInterval: 5 });
  },
  async leveldb() {
    const { leveldb } = await import("@kv/leveldb");
    return () => leveldb({ path: join(directory, "store") });
  },
  async hybrid() {
    const [{ hybrid }, { memory }] = await Promise.all([import("@kv/hybrid"), import("@kv/memory")]);
    return () => hybrid({ index: memory(), directory: join(directory, "files"), inlineBelow: 64 });
  },
  async tiered() {
    const [{ tiered }, { memory }] = await Promise.all([import("@kv/tiered"), import("@kv/memory")]);
    return () => tiered({ near: memory(), far: memory(), write: "behind" });
  },
};

/** What pauses somewhere: batches, scans, sweeps, clearing, retries, watching, closing. */
async function useIt(store: Store): Promise<void> {
  await Promise.all([store.set("a", 1), store.set("a", 2), store.get("a")]);
  await store.setMany(Array.from({ length: 3000 }, (_, i) => [`k${i}`, "x".repeat(i % 100)]));
  let scanned = 0;
  for await (const _ of store.values({ prefix: "k" })) scanned++;
  expect(scanned).toBe(3000);
  expect((await store.range("k1")).length).toBe(1111);
  const changes = store.watch();
  await store.set("b", 1);
  expect((await changes.next()).value).toMatchObject({ key: "b" });
  await changes.return?.();
  await Promise.all(Array.from({ length: 8 }, () => store.update("n", async (n = 0) => Number(await n) + 1)));
  expect(await store.get("n")).toBe(8);
  await store.set("short", 1, { ttl: "1ms" });
  await store.sweep();
  expect(await store.clear({ prefix: "k" })).toBe(3000);
  await store.close();
}

describe.each(Object.keys(FAKES))("with %s", (fakes) => {
  const fake = FAKES[fakes]!;

  it.each(Object.keys(ADAPTERS))("%s waits for nothing that never comes", async (name) => {
    const make = await ADAPTERS[name]!();
    const { createStore } = await import("@kv/core");
    fake();
    await useIt(createStore(make()));
  });

  it.each(Object.keys(ADAPTERS))("nor does %s where they were there first", async (name) => {
    fake();
    const make = await ADAPTERS[name]!();
    const { createStore } = await import("@kv/core");
    await useIt(createStore(make()));
  });

  it("a store that was made before them goes on", async () => {
    const { createStore } = await import("@kv/core");
    const { memory } = await import("@kv/memory");
    const store = createStore(memory());
    await store.set("before", 1);
    fake();
    await useIt(store);
  });

  it("a call is given up in real time", async () => {
    const { createStore, forward } = await import("@kv/core");
    const { memory } = await import("@kv/memory");
    const silent = forward(memory(), { read: () => new Promise(() => undefined) });
    fake();
    const store = createStore(silent, { timeout: "20ms" });
    await expect(store.get("k")).rejects.toMatchObject({ code: "KV_TIMEOUT" });
  });
});

it("memory needs no nextTick, either", async () => {
  const child = startChild("without-next-tick");
  const line = await child.line((text) => text.startsWith("{"));
  expect(JSON.parse(line)).toEqual({ scanned: 3000, change: "b", counted: 8 });
  expect(await child.ended).toEqual({ code: 0, signal: null });
});

describe("a mocked date", () => {
  it.each(["memory", "sqlite", "leveldb"])("is what %s goes by, whenever it was mocked", async (name) => {
    const make = await ADAPTERS[name]!();
    const { createStore } = await import("@kv/core");
    const store = createStore(make());
    await store.set("k", 1, { ttl: "1h" });
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + 3_599_000);
    expect(await store.get("k")).toBe(1);
    vi.setSystemTime(Date.now() + 2_000);
    expect(await store.get("k")).toBeUndefined();
    await store.set("k", 2, { ttl: "1h" });
    vi.setSystemTime(Date.now() + 3_599_000);
    expect(await store.get("k")).toBe(2);
    await store.close();
  });
});
