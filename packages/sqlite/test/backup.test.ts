import { AsyncLocalStorage } from "node:async_hooks";
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compression, createStore, forward, type Store, sizeLimit } from "@kv/core";
import Sqlite from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { type BackupProgress, backup, type SqliteOptions, sqlite } from "../src/index.ts";
import { scratchPath } from "./scratch.ts";

function storeOf(options: SqliteOptions): Store {
  const store = createStore(sqlite(options), { sweepInterval: null });
  onTestFinished(() => store.close().catch(() => undefined));
  return store;
}

async function filled(options: Partial<SqliteOptions> = {}) {
  const path = await scratchPath();
  const store = storeOf({ path, ...options } as SqliteOptions);
  await store.setMany(Array.from({ length: 2000 }, (_, i) => [`k${i}`, "x".repeat(1000)]));
  return { path, store, target: join(dirname(path), "backups/copy.db") };
}

describe("backup()", () => {
  test("copies everything: namespaces, deadlines, policies, metadata, revisions, bytes", async () => {
    const { store, target } = await filled();
    await store.set("all", { n: 1 }, { ttl: "1h", policy: "evict", metadata: { by: "ada" } });
    await store.namespace("n", "m").set("bytes", new Uint8Array([0, 1, 255]));
    const report = await backup(store.namespace("n"), target);
    expect(report.bytes).toBeGreaterThan(2_000_000);
    const copy = storeOf({ path: target });
    expect(await copy.getEntry("all")).toEqual(await store.getEntry("all"));
    expect(await copy.namespace("n", "m").get("bytes")).toEqual(new Uint8Array([0, 1, 255]));
    expect(await copy.count()).toBe(2001);
    expect(await copy.listNamespaces()).toEqual([["n", "m"]]);
    // Both go on, each with revisions of its own.
    expect(await copy.set("all", 2)).not.toBe(await store.set("all", 3));
  });

  test("has the writes that were called before, not awaited, and is one file", async () => {
    const { store, target } = await filled();
    const writing = store.set("before", 1);
    await backup(store, target);
    await writing;
    expect(readdirSync(dirname(target))).toEqual(["copy.db"]);
    const copy = storeOf({ path: target, readOnly: true });
    expect(await copy.get("before")).toBe(1);
    expect(readdirSync(dirname(target))).toEqual(["copy.db"]);
  });

  test("is of one moment, and keeps no writer waiting, in whatever process", async () => {
    const { path, store, target } = await filled();
    const other = storeOf({ path });
    await store.setMany([
      ["a", 0],
      ["b", 0],
    ]);
    let done = false;
    let rounds = 0;
    const writing = (async () => {
      for (let i = 1; !done; i++) {
        const one = i % 2 === 0 ? store : other;
        await one
          .atomic()
          .set("a", i)
          .set("b", i)
          .set(`k${i % 2000}`, "y".repeat(1000))
          .commit();
        rounds = i;
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await backup(store, target);
    done = true;
    await writing;
    expect(rounds).toBeGreaterThan(1);
    const copy = storeOf({ path: target });
    const [a, b] = await copy.getMany(["a", "b"]);
    expect(a).toBe(b);
    const check = new Sqlite(target);
    expect(check.pragma("integrity_check", { simple: true })).toBe("ok");
    check.close();
  });

  test("tells how far it is, in the caller's context, and leaves the event loop alive", async () => {
    const { store, target } = await filled();
    const context = new AsyncLocalStorage<string>();
    const told: (BackupProgress & { as: string | undefined })[] = [];
    const report = await context.run("ann", () =>
      backup(store, target, {
        onProgress: (progress) => void told.push({ ...progress, as: context.getStore() }),
      }),
    );
    expect(told.length).toBeGreaterThan(1);
    expect(told.every(({ as }) => as === "ann")).toBe(true);
    for (const { bytes, totalBytes } of told) expect(bytes).toBeLessThanOrEqual(totalBytes);
    expect(told.at(-1)?.totalBytes).toBe(report.bytes);
  });

  test("of a database in memory, and of one that was handed in, with its owner's tables", async () => {
    const target = await scratchPath("memory.db");
    const inMemory = storeOf({ path: ":memory:" });
    await inMemory.set("k", 1);
    await backup(inMemory, target);
    expect(await storeOf({ path: target }).get("k")).toBe(1);

    for (const journal of ["WAL", "DELETE"]) {
      const path = await scratchPath();
      const database = new Sqlite(path);
      onTestFinished(() => void database.close());
      database.pragma(`journal_mode = ${journal}`);
      database.exec("CREATE TABLE own (a); INSERT INTO own VALUES (7)");
      const store = storeOf({ database, table: "cache" });
      await store.set("k", 1);
      await backup(store, `${path}.copy`);
      const copy = new Sqlite(`${path}.copy`);
      expect(copy.prepare("SELECT a FROM own").pluck().get()).toBe(7);
      expect(await storeOf({ database: copy, table: "cache" }).get("k")).toBe(1);
    }
  });

  test("of a store that only reads, and of a read-only view", async () => {
    const { path, store, target } = await filled();
    await backup(store.readonly(), target);
    const reading = storeOf({ path, readOnly: true });
    await backup(reading, `${target}.2`);
    expect(await storeOf({ path: `${target}.2` }).count()).toBe(2000);
  });

  test("of a database that is deleted meanwhile: it may be the last copy", async () => {
    const { path, store, target } = await filled();
    await backup(store, target, { onProgress: () => rmSync(path, { force: true }) });
    expect(await storeOf({ path: target }).count()).toBe(2000);
  });

  test("is waited for by close()", async () => {
    const { store, target } = await filled();
    const copying = backup(store, target);
    await store.close();
    await copying;
    expect(await storeOf({ path: target }).count()).toBe(2000);
  });
});

describe("backup() refuses", () => {
  test("what is there already: a file, a directory, a dangling link, another database's log", async () => {
    const { store, path, target } = await filled();
    mkdirSync(dirname(target));
    writeFileSync(`${target}1`, "precious");
    mkdirSync(`${target}2`);
    symlinkSync("/nowhere/at/all", `${target}3`);
    writeFileSync(`${target}4-wal`, "");
    for (const taken of [path, `${target}1`, `${target}2`, `${target}3`, `${target}4`]) {
      await expect(backup(store, taken)).rejects.toMatchObject({
        code: "KV_INVALID_OPTION",
        message: expect.stringContaining("already"),
        operation: "backup",
      });
    }
    expect(readdirSync(dirname(target)).length).toBe(4);
  });

  test.each([
    ["", {}],
    [" ", {}],
    [":memory:", {}],
    ["a\0b", {}],
    [1, {}],
    ["copy.db ", {}],
    ["copy.db", { onprogress: () => undefined }],
    ["copy.db", { onProgress: 1 }],
    ["copy.db", { signal: 1 }],
  ])("%j with %o", async (path, options) => {
    const store = storeOf({ path: ":memory:" });
    await expect(backup(store, path as string, options as never)).rejects.toMatchObject({
      code: "KV_INVALID_OPTION",
    });
  });

  test("a store that is not over sqlite(), that hides it, or that was closed", async () => {
    const target = await scratchPath("copy.db");
    const other = createStore(forward(sqlite({ path: ":memory:" }), { name: "memory", native: undefined }));
    await expect(backup(other, target)).rejects.toMatchObject({ code: "KV_UNSUPPORTED", adapter: "memory" });
    const compressed = createStore(compression()(sqlite({ path: ":memory:" })));
    await expect(backup(compressed, target)).rejects.toMatchObject({
      code: "KV_UNSUPPORTED",
      message: expect.stringContaining("middleware"),
    });
    const limited = createStore(sizeLimit({ maxValueBytes: 5 })(sqlite({ path: ":memory:" })));
    await expect(backup(limited, target)).rejects.toMatchObject({ code: "KV_UNSUPPORTED" });
    await expect(backup({} as Store, target)).rejects.toMatchObject({ code: "KV_INVALID_OPTION" });
    const closed = storeOf({ path: ":memory:" });
    await closed.close();
    await expect(backup(closed, target)).rejects.toMatchObject({ code: "KV_CLOSED" });
    expect(existsSync(target)).toBe(false);
  });

  test("a place that cannot be written, by its name", async () => {
    const { store, path } = await filled();
    await expect(backup(store, join(path, "below/a/file.db"))).rejects.toMatchObject({
      code: "KV_UNAVAILABLE",
      message: expect.stringContaining("below/a/file.db"),
    });
  });
});

describe("backup() leaves nothing behind where it", () => {
  test("is aborted", async () => {
    const { store, target } = await filled();
    await expect(backup(store, target, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "KV_ABORTED",
    });
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error("enough"));
    await expect(backup(store, target, { signal: controller.signal, onProgress })).rejects.toMatchObject({
      code: "KV_ABORTED",
      cause: expect.objectContaining({ message: "enough" }),
    });
    expect(readdirSync(dirname(target))).toEqual([]);
    await store.set("k", 1);
  });

  test("is failed by the caller's function, whose error it rejects with", async () => {
    const { store, target } = await filled();
    const mine = new Error("mine");
    const failing = backup(store, target, {
      onProgress() {
        throw mine;
      },
    });
    await expect(failing).rejects.toBe(mine);
    expect(readdirSync(dirname(target))).toEqual([]);
  });
});
