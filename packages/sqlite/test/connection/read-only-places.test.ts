import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createStore, type Store } from "@kv/core";
import Sqlite from "better-sqlite3";
import { describe, expect, onTestFinished, type TestContext, test } from "vitest";
import { backup, type SqliteOptions, sqlite } from "../../src/index.ts";
import { scratchPath } from "../scratch.ts";

const ROOT = process.getuid?.() === 0;

function storeOf(options: SqliteOptions): Store {
  const store = createStore(sqlite(options), { sweepInterval: null });
  onTestFinished(() => store.close().catch(() => undefined));
  return store;
}

async function write(path: string, value: unknown = 1): Promise<void> {
  const store = createStore(sqlite({ path }));
  await store.set("k", value);
  await store.namespace("n").set("inner", [1, 2, 3]);
  await store.close();
}

/**
 * Makes the directory read-only for this test: by its permissions or, for root, by a read-only mount under another name.
 * Returns the name to use.
 */
function closedToWriters(directory: string, context: TestContext): string {
  if (!ROOT) {
    chmodSync(directory, 0o555);
    onTestFinished(() => chmodSync(directory, 0o755));
    return directory;
  }
  const mounted = `${directory}-mounted`;
  mkdirSync(mounted);
  try {
    execFileSync("mount", ["--bind", directory, mounted], { stdio: "ignore" });
    onTestFinished(() => void execFileSync("umount", ["--lazy", mounted]));
    execFileSync("mount", ["-o", "remount,ro,bind", mounted], { stdio: "ignore" });
  } catch {
    context.skip("root may not mount anything here");
  }
  return mounted;
}

describe("readOnly in a directory that cannot be written reads", () => {
  test("a database that was closed properly", async (context) => {
    const path = await scratchPath("data/store.db");
    await write(path, { n: 1 });
    const place = closedToWriters(dirname(path), context);
    const store = storeOf({ path: join(place, "store.db"), readOnly: true });
    expect(await store.get("k")).toEqual({ n: 1 });
    expect(await store.getEntry("k")).toMatchObject({ value: { n: 1 } });
    expect(await store.namespace("n").range("")).toEqual([["inner", [1, 2, 3]]]);
    expect(await store.listNamespaces()).toEqual([["n"]]);
    expect(await store.count()).toBe(1);
    expect(await store.sweep()).toBe(0);
    expect((await store.stats()).keys).toBe(1);
    await expect(store.set("k", 2)).rejects.toMatchObject({ code: "KV_READ_ONLY" });
    expect(readdirSync(place)).toEqual(["store.db"]);
    await backup(store, await scratchPath("copy.db"));
    await store.close();
  });

  test("one with an empty log, one with a rollback journal, and a backup", async (context) => {
    const path = await scratchPath("data/empty.db");
    const directory = dirname(path);
    await write(path);
    writeFileSync(`${path}-wal`, "");
    const source = storeOf({ path: await scratchPath() });
    await source.set("k", 1);
    await backup(source, join(directory, "backup.db"));
    copyFileSync(path, join(directory, "rollback.db"));
    const db = new Sqlite(join(directory, "rollback.db"));
    db.pragma("journal_mode = DELETE");
    db.close();
    const place = closedToWriters(directory, context);
    for (const name of ["empty.db", "rollback.db", "backup.db"])
      expect(await storeOf({ path: join(place, name), readOnly: true }).get("k"), name).toBe(1);
  });

  test("one whose writer is at work by another way, and one that a writer left with log and index", async (context) => {
    const path = await scratchPath("data/store.db");
    mkdirSync(dirname(path));
    const writer = storeOf({ path });
    await writer.set("k", 1);
    for (const ending of ["", "-wal", "-shm"])
      copyFileSync(path + ending, join(dirname(path), `left.db${ending}`));
    const place = closedToWriters(dirname(path), context);
    const reader = storeOf({ path: join(place, "store.db"), readOnly: true });
    expect(await reader.get("k")).toBe(1);
    await writer.set("k", 2);
    expect(await reader.get("k")).toBe(2);
    expect(await storeOf({ path: join(place, "left.db"), readOnly: true }).get("k")).toBe(1);
  });
});

describe("readOnly in a directory that cannot be written says", () => {
  test("that the index of a log with content is missing", async (context) => {
    const path = await scratchPath("data/store.db");
    const writer = storeOf({ path });
    await writer.set("k", 1);
    const directory = `${dirname(path)}2`;
    mkdirSync(directory);
    for (const ending of ["", "-wal"]) copyFileSync(path + ending, join(directory, `store.db${ending}`));
    const place = closedToWriters(directory, context);
    await expect(storeOf({ path: join(place, "store.db"), readOnly: true }).get("k")).rejects.toMatchObject({
      code: "KV_UNAVAILABLE",
      message: expect.stringMatching(/was not closed properly.*-shm.*Copy the database with its -wal/),
    });
  });

  test("that there is no file, or none of ours", async (context) => {
    const path = await scratchPath("data/other.db");
    mkdirSync(dirname(path));
    const db = new Sqlite(path);
    db.pragma("journal_mode = WAL");
    db.exec("CREATE TABLE other (a)");
    db.close();
    writeFileSync(join(dirname(path), "letter.txt"), "Dear reader, ".repeat(500));
    const place = closedToWriters(dirname(path), context);
    for (const [name, code, words] of [
      ["none.db", "KV_UNAVAILABLE", /no such file/],
      ["other.db", "KV_UNAVAILABLE", /without readOnly/],
      ["letter.txt", "KV_CORRUPT", /is not a SQLite database/],
    ] as const) {
      await expect(storeOf({ path: join(place, name), readOnly: true }).get("k")).rejects.toMatchObject({
        code,
        message: expect.stringMatching(words),
      });
    }
  });

  test("that it was changed by another way since", async (context) => {
    const path = await scratchPath("data/store.db");
    await write(path);
    const place = closedToWriters(dirname(path), context);
    if (place === dirname(path)) context.skip("needs a mount, hence root");
    const store = storeOf({ path: join(place, "store.db"), readOnly: true });
    expect(await store.get("k")).toBe(1);
    const writer = storeOf({ path });
    await writer.set("k", 2);
    await sleep(30);
    await expect(store.get("k")).rejects.toMatchObject({
      code: "KV_UNAVAILABLE",
      message: expect.stringContaining("open it anew"),
    });
    await store.close();
    expect(await storeOf({ path: join(place, "store.db"), readOnly: true }).get("k")).toBe(2);
  });

  test("without readOnly, that it cannot be written, and how it can be read", async (context) => {
    const path = await scratchPath("data/store.db");
    await write(path);
    const place = closedToWriters(dirname(path), context);
    await expect(storeOf({ path: join(place, "store.db") }).get("k")).rejects.toMatchObject({
      message: expect.stringMatching(/readOnly: true|no permission to write/),
    });
  });
});

test("a user who may only read reads what was closed properly", async (context) => {
  const path = await scratchPath("data/store.db");
  await write(path);
  const script = fileURLToPath(new URL("../processes/read.ts", import.meta.url));
  const read = (file: string) =>
    spawnSync(process.execPath, [script, file], {
      encoding: "utf8",
      ...(ROOT ? { uid: 65534, gid: 65534, cwd: "/" } : {}),
    });
  for (const directory of [dirname(path), dirname(dirname(path))]) chmodSync(directory, 0o555);
  onTestFinished(() => {
    for (const directory of [dirname(path), dirname(dirname(path))]) chmodSync(directory, 0o755);
  });
  const { stdout, status, stderr } = read(path);
  if (ROOT && status !== 0 && /EACCES|permission/i.test(stderr))
    context.skip("another user may not read the sources");
  expect(stdout.trim()).toBe("1");
  expect(statSync(path).size).toBeGreaterThan(0);
  // A log and an index that are another user's.
  chmodSync(dirname(path), 0o755);
  for (const companion of ["-wal", "-shm"]) writeFileSync(path + companion, "x", { mode: 0o000 });
  chmodSync(dirname(path), 0o555);
  expect(read(path).stdout).toMatch(/KvError.*no permission to read .*-wal, which belongs to the database/);
  chmodSync(path, 0o000);
  expect(read(path).stdout).toMatch(/KvError.*no permission to read the file/);
});
