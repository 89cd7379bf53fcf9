import { AsyncLocalStorage } from "node:async_hooks";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compression, createStore, type Entry, encryption, type Store, sizeLimit } from "@kv/core";
import { ClassicLevel } from "classic-level";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { backup, leveldb } from "../../src/index.ts";
import { Opener } from "../holding/opener.ts";
import { refusalOf, scratchPath } from "../scratch.ts";

const START = 1_790_000_000_000;
let now = START;
const clock = () => now;
beforeEach(() => {
  now = START;
});

async function used(path: string): Promise<Store> {
  const store = createStore(leveldb({ path, clock }));
  onTestFinished(() => store.close());
  await store.setMany(Array.from({ length: 2000 }, (_, i) => [`key ${i}`, `value ${i}`]));
  await store.set("\u{1f600} \0", new Uint8Array([0, 10, 255, 10]), { metadata: { by: "Ada" } });
  await store.setCache("cached", [1], { ttl: "1h" });
  await store.set("over", 1, { ttl: 1 });
  now += 1000;
  await store.namespace("a", "b\0/~").set("deep", { n: 1 }, { ttl: "7d", policy: "evict" });
  await store.scope("user").set("1", "Ada");
  return store;
}

async function all(store: Store): Promise<Entry<unknown>[]> {
  const entries: Entry<unknown>[] = [];
  for await (const entry of store.entries()) entries.push(entry);
  return entries;
}

async function everything(store: Store): Promise<unknown> {
  const found: unknown[] = [await all(store)];
  for (const path of await store.listNamespaces())
    found.push(path, await all(store.namespace(...path) as Store));
  return found;
}

describe("backup()", () => {
  test("keeps every namespace, with deadlines, policies, metadata and revisions, as of one moment", async () => {
    const path = await scratchPath();
    const store = await used(path);
    const before = await everything(store);
    const target = `${path}/../deep/down/copy`;
    const copying = backup(store.namespace("a").scope("x") as Store, target);
    // Too late for the copy.
    const later = store.set("later", 1);
    expect(await copying).toEqual({ entries: 2004, bytes: expect.any(Number), damaged: 0 });
    await later;
    const copy = createStore(leveldb({ path: target, clock }));
    onTestFinished(() => copy.close());
    expect((await everything(copy)) as unknown[]).toEqual(before);
    expect(await copy.sweep()).toBe(1);
    // The two are independent.
    await copy.set("k", "copy");
    await store.set("k", "store");
    expect(await copy.get("k")).toBe("copy");
    expect(readdirSync(dirname(target))).toEqual(["copy"]);
  });

  test("holds what was written before it was called, awaited or not, in any namespace", async () => {
    const path = await scratchPath();
    const store = createStore(leveldb({ path }));
    onTestFinished(() => store.close());
    const writes = [store.set("k", 1), store.namespace("a").set("k", 2)];
    const { entries } = await backup(store, `${path}-copy`);
    await Promise.all(writes);
    expect(entries).toBe(2);
  });

  test("goes on while the store is written to, and each copy is one state", async () => {
    const path = await scratchPath();
    const store = createStore(leveldb({ path }));
    onTestFinished(() => store.close());
    let round = 0;
    let done = false;
    const writing = (async () => {
      while (!done) {
        round++;
        await store.setMany(Array.from({ length: 50 }, (_, i) => [`k${i}`, round]));
      }
    })();
    for (let i = 0; i < 4; i++) {
      const least = round;
      await backup(store, `${path}-${i}`);
      const copy = createStore(leveldb({ path: `${path}-${i}` }));
      const values = new Set((await copy.range("")).map(([, value]) => value));
      await copy.close();
      expect(values.size).toBe(1);
      expect([...values][0]).toBeGreaterThanOrEqual(least);
    }
    done = true;
    await writing;
  });

  test("of a database handed in copies the store's own keys, which the copy has under the same prefix", async () => {
    const path = await scratchPath();
    const database = new ClassicLevel(path);
    onTestFinished(() => database.close());
    await database.put("theirs", "1");
    const store = createStore(leveldb({ database: database.sublevel("s"), prefix: "p" }));
    await store.set("k", 1);
    await backup(store, `${path}-copy`);
    await store.close();
    const copied = new ClassicLevel(`${path}-copy`);
    expect(await copied.keys().all()).toEqual(["!p!e\0k", "!p!m"]);
    await copied.close();
    const copy = createStore(leveldb({ path: `${path}-copy`, prefix: "p" }));
    expect(await copy.get("k")).toBe(1);
    await copy.close();
  });

  test("counts entries that are damaged, and copies them as they are", async () => {
    const path = await scratchPath();
    const database = new ClassicLevel(path);
    onTestFinished(() => database.close());
    const store = createStore(leveldb({ database }));
    await store.setMany([
      ["a", "good"],
      ["b", "bad"],
    ]);
    await database.put("!kv!e\0b", "garbage");
    expect(await backup(store, `${path}-copy`)).toMatchObject({ entries: 1, damaged: 1 });
    const copy = createStore(leveldb({ path: `${path}-copy` }));
    onTestFinished(() => copy.close());
    await expect(copy.get("b")).rejects.toMatchObject({ code: "KV_CORRUPT" });
    await store.close();
  });

  test("of an empty store is an empty store", async () => {
    const path = await scratchPath();
    const store = createStore(leveldb({ path }));
    onTestFinished(() => store.close());
    expect(await backup(store, `${path}-copy`)).toEqual({ entries: 0, bytes: 0, damaged: 0 });
    const copy = createStore(leveldb({ path: `${path}-copy` }));
    expect(await copy.count()).toBe(0);
    await copy.close();
  });

  test("goes into an empty directory, and into no other", async () => {
    const path = await scratchPath();
    const store = await used(path);
    mkdirSync(`${path}-empty`);
    await backup(store, `${path}-empty`);
    writeFileSync(`${path}-file`, "");
    for (const target of [path, `${path}-empty`]) {
      await expect(backup(store, target)).rejects.toMatchObject({
        code: "KV_INVALID_OPTION",
        operation: "backup",
        message: expect.stringMatching(/is not empty/),
      });
    }
    await expect(backup(store, `${path}-file`)).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    await expect(backup(store, `${path}-file/in`)).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    expect(readdirSync(dirname(path)).filter((name) => name.includes("partial"))).toEqual([]);
  });

  test("tells its progress, in the caller's async context", async () => {
    const path = await scratchPath();
    const store = await used(path);
    const context = new AsyncLocalStorage<string>();
    const told: number[] = [];
    const callers = new Set<string | undefined>();
    const report = await context.run("mine", () =>
      backup(store, `${path}-copy`, {
        onProgress({ entries }) {
          told.push(entries);
          callers.add(context.getStore());
        },
      }),
    );
    expect(told.length).toBeGreaterThan(2);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    expect(told.at(-1)).toBe(report.entries);
    expect([...callers]).toEqual(["mine"]);
  });

  test("that is aborted, or whose onProgress throws, leaves nothing behind", async () => {
    const path = await scratchPath();
    const store = await used(path);
    const abort = new AbortController();
    const { signal } = abort;
    const aborted = backup(store, `${path}-copy`, { signal, onProgress: () => abort.abort("enough") });
    await expect(aborted).rejects.toMatchObject({ code: "KV_ABORTED", cause: "enough" });
    await expect(backup(store, `${path}-copy`, { signal })).rejects.toMatchObject({ code: "KV_ABORTED" });
    const fault = new Error("mine");
    const thrown = backup(store, `${path}-copy`, {
      onProgress() {
        throw fault;
      },
    });
    await expect(thrown).rejects.toBe(fault);
    expect(readdirSync(dirname(path))).toEqual(["store"]);
    await backup(store, `${path}-copy`);
  });

  test("that is killed leaves nothing at its path, and nothing that opens as a store", async () => {
    const path = await scratchPath();
    const opener = await Opener.start();
    await opener.ask("open", path);
    void opener.ask("die", path, `${path}-copy`);
    await opener.ended();
    const [partial = ""] = readdirSync(dirname(path)).filter((name) => name !== "store");
    expect(partial).toMatch(/^store-copy\.partial-/);
    expect(await refusalOf({ path: join(dirname(path), partial) })).toMatchObject({
      code: "KV_CORRUPT",
      message: expect.stringMatching(/never finished/),
    });
    const store = createStore(leveldb({ path }));
    await backup(store, `${path}-copy`);
    await store.close();
  });

  test("is waited for by close()", async () => {
    const path = await scratchPath();
    const store = await used(path);
    const copying = backup(store, `${path}-copy`);
    await store.close();
    expect(existsSync(join(`${path}-copy`, "CURRENT"))).toBe(true);
    await copying;
    await expect(backup(store, `${path}-late`)).rejects.toMatchObject({ code: "KV_CLOSED" });
    expect(existsSync(`${path}-late`)).toBe(false);
  });

  test.each([
    [undefined, {}],
    ["", {}],
    ["a\0b", {}],
    ["copy", { onprogress: () => undefined }],
    ["copy", { signal: true }],
    ["copy", { onProgress: 1 }],
  ])("refuses %o, %o", async (target, options) => {
    const path = await scratchPath();
    const store = createStore(leveldb({ path }));
    const where = target === "copy" ? `${path}-copy` : (target as string);
    await expect(backup(store, where, options as object)).rejects.toMatchObject({
      code: "KV_INVALID_OPTION",
    });
    await store.close();
  });

  test("needs a store over leveldb(), and a middleware that hides it is gone round by a second store", async () => {
    const path = await scratchPath();
    const adapter = leveldb({ path });
    const middleware = [
      compression(),
      encryption({ key: new Uint8Array(32).fill(7) }),
      sizeLimit({ maxValueBytes: 10 }),
    ];
    for (const wrap of middleware) {
      const store = createStore(adapter, { middleware: [wrap] });
      await expect(backup(store, `${path}-copy`)).rejects.toMatchObject({
        code: "KV_UNSUPPORTED",
        message: expect.stringMatching(/second store over the same leveldb\(\) adapter/),
      });
      await store.close();
    }
    await expect(backup({} as Store, `${path}-copy`)).rejects.toMatchObject({ code: "KV_INVALID_OPTION" });
    const store = createStore(adapter, { middleware: [compression()] });
    await store.set("k", "long ".repeat(1000));
    const plain = createStore(adapter);
    await backup(plain, `${path}-copy`);
    await plain.close();
    await store.close();
    const copy = createStore(leveldb({ path: `${path}-copy` }), { middleware: [compression()] });
    expect(await copy.get("k")).toBe("long ".repeat(1000));
    await copy.close();
  });
});
