/** What else may happen to a database: links, threads, settings and triggers of its owner, limits of the system. */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, linkSync, mkdirSync, symlinkSync, unlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { createStore, type Store } from "@kv/core";
import Sqlite from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { backup, type SqliteOptions, sqlite } from "../../src/index.ts";
import { scratchPath } from "../scratch.ts";

function storeOf(options: SqliteOptions): Store {
  const store = createStore(sqlite(options), { sweepInterval: null });
  onTestFinished(() => store.close().catch(() => undefined));
  return store;
}

function handedIn(path: string): Sqlite.Database {
  const database = new Sqlite(path);
  onTestFinished(() => void database.close());
  return database;
}

describe("links", () => {
  test("symbolic ones lead to one database with one log", async () => {
    const path = await scratchPath("data/store.db");
    mkdirSync(dirname(path));
    const link = join(dirname(path), "../link.db");
    symlinkSync(path, link);
    symlinkSync("data", join(dirname(path), "../dir"));
    const stores = [path, link, join(dirname(path), "../dir/store.db")].map((name) =>
      storeOf({ path: name }),
    );
    for (const [i, store] of stores.entries()) {
      await store.set("k", i);
      for (const other of stores) expect(await other.get("k")).toBe(i);
    }
    expect(existsSync(`${link}-wal`)).toBe(false);
  });

  test("hard ones are refused, by whatever name, and read only they are not", async () => {
    const path = await scratchPath();
    await storeOf({ path: `${path}2` }).close();
    const first = createStore(sqlite({ path }));
    await first.set("k", 1);
    await first.close();
    const other = join(dirname(path), "other.db");
    linkSync(path, other);
    for (const name of [path, other]) {
      await expect(storeOf({ path: name }).get("k")).rejects.toMatchObject({
        code: "KV_UNAVAILABLE",
        message: expect.stringMatching(/has 2 names \(hard links\)/),
      });
    }
    expect(await storeOf({ path: other, readOnly: true }).get("k")).toBe(1);
    unlinkSync(other);
    await storeOf({ path }).set("k", 2);
  });
});

test("a thread that ends with the database open takes no lock of others along", async () => {
  const path = await scratchPath();
  const store = storeOf({ path });
  await store.set("k", 1);
  const driver = createRequire(import.meta.url).resolve("better-sqlite3");
  const worker = new Worker(
    `const Database = require(${JSON.stringify(driver)});
     const db = new Database(${JSON.stringify(path)});
     db.prepare("SELECT count(*) FROM kv").get();
     require("node:worker_threads").parentPort.postMessage("open");
     setInterval(() => db.open, 1000);`,
    { eval: true },
  );
  await new Promise((resolve) => worker.once("message", resolve));
  await worker.terminate();
  // As the last connection it would remove the log.
  const script = fileURLToPath(new URL("../processes/count.ts", import.meta.url));
  expect(spawnSync(process.execPath, [script, path, "3"]).status).toBe(0);
  expect(existsSync(`${path}-wal`)).toBe(true);
  await store.set("k", 2);
  expect(await store.getMany(["k", "counter"])).toEqual([2, 3]);
});

describe("the owner of a database that was handed in", () => {
  test("may have it return bigints, walk backwards, and lock out all others", async () => {
    const path = await scratchPath();
    const database = handedIn(path);
    database.defaultSafeIntegers(true);
    database.pragma("reverse_unordered_selects = ON");
    database.pragma("locking_mode = EXCLUSIVE");
    database.pragma("journal_mode = WAL");
    const store = storeOf({ database });
    await store.setMany([
      ["a", 1],
      ["b", 2],
      ["c", 3],
    ]);
    await store.namespace("n").set("k", 1, { ttl: "1h" });
    expect(await store.getMany(["c", "a", "b"])).toEqual([3, 1, 2]);
    expect(await store.range("")).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", 3],
    ]);
    await backup(store, `${path}.copy`);
    expect(await storeOf({ path: `${path}.copy` }).count()).toBe(3);
    expect(await store.clear({ namespaces: true })).toBe(4);
    expect(database.prepare("SELECT count(*) FROM kv_namespaces WHERE path <> ''").pluck().get()).toBe(0n);
  });

  test("may add columns, and has what writes nothing told", async () => {
    const database = handedIn(await scratchPath());
    const store = storeOf({ database });
    await store.set("k", 1);
    database.exec("ALTER TABLE kv ADD COLUMN note");
    await store.set("k", 2);
    expect(await store.range("")).toEqual([["k", 2]]);
    database.exec("CREATE TRIGGER mute BEFORE INSERT ON kv BEGIN SELECT RAISE(IGNORE); END");
    for (const write of [
      () => store.set("x", 1),
      () => store.set("x", 1, { ttl: 60 }),
      () => store.set("x", 1, { keepTtl: true }),
      () => store.set("x", 1, { policy: "evict" }),
      () => store.increment("x"),
    ]) {
      await expect(write()).rejects.toMatchObject({
        code: "KV_BACKEND",
        message: expect.stringContaining("trigger"),
      });
    }
    database.exec("DROP TRIGGER mute");
    database.pragma("query_only = ON");
    await expect(store.set("k", 3)).rejects.toMatchObject({ code: "KV_READ_ONLY" });
    expect(await store.get("k")).toBe(2);
  });

  test("may not have it in UTF-16, whose order of keys is another", async () => {
    const database = handedIn(await scratchPath());
    database.pragma("encoding = 'UTF-16'");
    database.exec("CREATE TABLE own (a)");
    await expect(storeOf({ database }).get("k")).rejects.toMatchObject({
      code: "KV_UNSUPPORTED",
      message: expect.stringContaining("UTF-16"),
    });
  });
});

test("a process without file descriptors is told so", async (context) => {
  const path = await scratchPath();
  await storeOf({ path }).set("k", 1);
  const copy = join(dirname(path), "copy.db");
  await backup(storeOf({ path }), copy);
  if (process.platform === "win32") context.skip("has no limit of that kind");
  const script = fileURLToPath(new URL("../processes/without-descriptors.ts", import.meta.url));
  const { stdout } = spawnSync("sh", ["-c", `ulimit -n 64; exec "$0" "$@"`, process.execPath, script, copy], {
    encoding: "utf8",
  });
  expect(stdout).toMatch(/KV_UNAVAILABLE .*no file descriptor left/);
  expect(stdout).toContain("later 1");
});

test("a value beyond what SQLite holds is KV_CAPACITY, alone", async (context) => {
  if (process.env["KV_TEST_FULL"] !== "1") context.skip("needs KV_TEST_FULL=1");
  const store = storeOf({ path: await scratchPath() });
  const outcomes = await Promise.allSettled([
    store.set("a", 1),
    store.set("large", new Uint8Array(1_000_000_001)),
    store.set("b", 2),
  ]);
  expect(outcomes).toMatchObject([
    { status: "fulfilled" },
    { status: "rejected", reason: { code: "KV_CAPACITY", key: "large" } },
    { status: "fulfilled" },
  ]);
});

test("a copy of a database is a database of its own", async () => {
  const path = await scratchPath();
  const first = createStore(sqlite({ path }));
  await first.set("k", 1);
  await first.close();
  copyFileSync(path, `${path}2`);
  const [one, two] = [storeOf({ path }), storeOf({ path: `${path}2` })];
  await one.set("k", "one");
  expect(await two.get("k")).toBe(1);
});
