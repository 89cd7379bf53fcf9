import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Adapter, createStore, forward, namespaceOf, type Store } from "@kv/core";
import { backup, leveldb } from "@kv/leveldb";
import { memory } from "@kv/memory";
import { sqlite } from "@kv/sqlite";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type TieredAdapter, tiered } from "../src/index.ts";
import { controlled, until } from "./controlled.ts";
import { scratchDirectory } from "./scratch.ts";

let directory: string;

beforeEach(() => {
  directory = scratchDirectory();
});

const near = (): Adapter => sqlite({ path: join(directory, "near.db") });
const far = (): Adapter => sqlite({ path: join(directory, "far.db") });

interface Opened {
  readonly adapter: TieredAdapter;
  readonly store: Store;
  readonly far: ReturnType<typeof controlled>;
}

function opened(over: Adapter = far(), below: Adapter = near()): Opened {
  const control = controlled(over);
  const options = { backoff: () => 5, timeout: 1, closeTimeout: 0.05 } as const;
  const adapter = tiered({ near: below, far: control.adapter, write: "behind", ...options });
  const store = createStore(adapter, { sweepInterval: null });
  onTestFinished(() => store.close().catch(() => undefined));
  return { adapter, store, far: control };
}

/** Copies a database that is closed, or puts the copy back. */
function copy(from: string, to: string): void {
  for (const end of ["", "-wal", "-shm"]) rmSync(join(directory, to + end), { force: true });
  cpSync(join(directory, from), join(directory, to), { recursive: true });
}

/** A closed pair of tiers, with changes in the journal that were not flushed. */
async function leave(changes: Readonly<Record<string, number>>): Promise<void> {
  const { store, far: control } = opened();
  await store.has("open");
  control.mode = "fail";
  for (const [key, value] of Object.entries(changes)) await store.set(key, value);
  await store.close();
}

async function flushed(changes: Readonly<Record<string, number>>): Promise<void> {
  const { store, adapter } = opened();
  for (const [key, value] of Object.entries(changes)) await store.set(key, value);
  await adapter.flush();
  await store.close();
}

async function refused(store: Store): Promise<unknown> {
  return store.get("k").then(
    (value) => ({ value }),
    (error: unknown) => error,
  );
}

describe("a journal", () => {
  it("that was restored, while the far tier went on, is told, and replaces nothing", async () => {
    await leave({ k: 1, other: 1 });
    copy("near.db", "near.backup");
    await flushed({ k: 2 });
    copy("near.backup", "near.db");
    const again = opened();
    const error = await refused(again.store);
    expect(error).toMatchObject({ code: "KV_CORRUPT" });
    expect(String(error)).toMatch(/holds 2 acknowledged changes for another state of the far tier.*restored/);
    await using behind = createStore(far());
    expect(await behind.get("k")).toBe(2);
    // As the message advises.
    for (const end of ["", "-wal", "-shm"]) rmSync(join(directory, `near.db${end}`), { force: true });
    expect(await opened().store.get("k")).toBe(2);
  });

  it("that was restored from a copy of the opening under way is told, too", async () => {
    const below = leveldb({ path: join(directory, "near") });
    const { store, adapter, far: control } = opened(far(), below);
    await store.set("k", 1);
    await adapter.flush();
    control.mode = "fail";
    await store.set("k", 2);
    await using journal = createStore(below);
    await backup(journal, join(directory, "near.backup"));
    control.mode = "answer";
    await adapter.flush();
    // Each flush gives the state a new name, though not within a second.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await store.set("k", 3);
    await adapter.flush();
    control.mode = "fail";
    await store.close();
    const restored = leveldb({ path: join(directory, "near.backup") });
    expect(await refused(opened(far(), restored).store)).toMatchObject({ code: "KV_CORRUPT" });
  });

  it("whose far tier was restored is told, and nothing gets into that", async () => {
    await flushed({ k: 1 });
    copy("far.db", "far.backup");
    await flushed({ k: 2, l: 2 });
    await leave({ l: 3 });
    copy("far.backup", "far.db");
    expect(await refused(opened().store)).toMatchObject({ code: "KV_CORRUPT" });
    await using behind = createStore(far());
    expect(await behind.has("l")).toBe(false);
  });

  it("whose far tier is another store is told", async () => {
    await leave({ k: 1 });
    const other = sqlite({ path: join(directory, "other.db") });
    const error = await refused(opened(other).store);
    expect(error).toMatchObject({ code: "KV_CORRUPT" });
    expect(String(error)).toContain("is another store, or was emptied");
    // The right one still gets it.
    const { store, adapter } = opened();
    expect(await store.get("k")).toBe(1);
    await adapter.flush();
  });

  it("with nothing in it belongs to whatever far tier there is", async () => {
    await flushed({ k: 1 });
    copy("far.db", "far.backup");
    await flushed({ k: 2 });
    copy("far.backup", "far.db");
    const { store } = opened();
    expect(await store.get("k")).toBe(1);
    await store.set("k", 3);
    expect(await store.get("k")).toBe(3);
  });

  it("is flushed after any number of crashes, attempts that failed, and answers that were lost", async () => {
    for (let round = 0; round < 6; round++) {
      const { store, far: control } = opened();
      expect(await store.get("k")).toBe(round === 0 ? undefined : round - 1);
      control.mode = (["fail", "lose the answer", "silent"] as const)[round % 3] ?? "fail";
      await store.set("k", round);
      await new Promise((resolve) => setTimeout(resolve, 30));
      await store.close();
    }
    const { store, adapter } = opened();
    expect(await store.get("k")).toBe(5);
    await adapter.flush();
  });

  it("is flushed in its order where the near tier keeps none of its keys", async () => {
    const unordered = (): Adapter => {
      const inner = near();
      return forward(inner, {
        capabilities: { ...inner.capabilities, ordered: false },
        scan: (namespace, range) => inner.scan(namespace, { ...range, reverse: true }),
      });
    };
    const first = opened(far(), unordered());
    await first.store.has("open");
    first.far.mode = "fail";
    for (let i = 0; i < 5; i++) await first.store.set("k", i);
    await first.store.close();
    const { store, adapter } = opened(far(), unordered());
    expect(await store.get("k")).toBe(4);
    await store.set("l", 5);
    await adapter.flush();
    expect(await store.getMany(["k", "l"])).toEqual([4, 5]);
  });

  it("is one opener's: who had it before is refused, and what it acknowledged is not lost", async () => {
    const first = opened();
    first.far.mode = "answer";
    await first.store.set("a", 1);
    await first.adapter.flush();
    first.far.mode = "fail";
    await first.store.set("b", 2);
    const second = opened();
    await second.store.set("c", 3);
    const error: unknown = await first.store.set("d", 4).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "KV_UNAVAILABLE", retryable: false });
    expect(String(error)).toContain("another tiered adapter has opened the near tier");
    await second.adapter.flush();
    expect(await second.store.getMany(["a", "b", "c", "d"])).toEqual([1, 2, 3, undefined]);
  });
});

describe("a far tier behind two adapters", () => {
  it("is told to the one that came first", async () => {
    const shared = memory();
    await shared.open();
    const over = () => forward(shared, { open: () => undefined, close: () => undefined });
    const first = opened(over(), sqlite({ path: join(directory, "first.db") }));
    const second = opened(over(), sqlite({ path: join(directory, "second.db") }));
    await first.store.set("k", 1);
    await first.adapter.flush();
    await second.store.set("k", 2);
    await second.adapter.flush();
    await until(async () => {
      await first.store.set("k", 3);
      const failed = await first.adapter.flush().catch((error: unknown) => error);
      return String(failed).includes("another tiered adapter writes to the far tier");
    });
  });
});

describe("a far tier that was emptied by others while the store is open", () => {
  it("gets what is written from then on", async () => {
    const { store, adapter } = opened();
    await store.set("k", 1);
    await adapter.flush();
    {
      await using others = createStore(far());
      await others.clear({ namespaces: true });
    }
    // Until the state is due for another name.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await store.set("l", 2);
    await adapter.flush();
    await store.close();
    expect(await opened().store.get("l")).toBe(2);
  });
});

describe("what the far tier says of its state", () => {
  it("is no namespace, no entry that is counted, and goes with what is cleared", async () => {
    const { store, adapter, far: control } = opened();
    await store.namespace("a").set("k", 1);
    await store.set("k", 1);
    await adapter.flush();
    expect(await store.listNamespaces()).toEqual([["a"]]);
    expect(await store.clear({ namespaces: true })).toBe(2);
    const said = async () => (await control.adapter.read(namespaceOf(["@kv/tiered", "pair"]), ["state"]))[0];
    expect(await said()).toBeUndefined();
    control.mode = "fail";
    await store.set("k", 2);
    await store.close();
    // Cleared, and no other one.
    expect(await opened().store.get("k")).toBe(2);
  });
});
