import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createStore, KvError, type Store } from "@kv/core";
import Sqlite from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { type SqliteOptions, sqlite } from "../../src/index.ts";
import { scratchPath } from "../scratch.ts";

/** Longer than a look at the files remains valid. */
const pastTheWindow = () => sleep(30);

function storeOf(options: SqliteOptions): Store {
  const store = createStore(sqlite(options), { sweepInterval: null });
  onTestFinished(() => store.close().catch(() => undefined));
  return store;
}

async function filled(): Promise<{ path: string; store: Store }> {
  const path = await scratchPath("data/store.db");
  const store = storeOf({ path });
  await store.setMany(Array.from({ length: 2000 }, (_, i) => [`k${i}`, "x".repeat(200)]));
  return { path, store };
}

/** A backup of the store as it was before its last writes, and those writes. */
async function backedUp(): Promise<{ path: string; store: Store; backup: string }> {
  const path = await scratchPath("data/store.db");
  const first = createStore(sqlite({ path }));
  await first.setMany(Array.from({ length: 2000 }, (_, i) => [`k${i}`, "x".repeat(200)]));
  await first.close();
  const backup = join(dirname(path), "../backup.db");
  copyFileSync(path, backup);
  const store = storeOf({ path });
  await store.set("later", 1);
  return { path, store, backup };
}

/** Everything is in the file, and nothing in the log. */
function checkpoint(path: string): void {
  const db = new Sqlite(path);
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
}

async function expectLost(store: Store, words: RegExp): Promise<void> {
  await pastTheWindow();
  const refusals = [
    () => store.set("k", 1),
    () => store.get("k1"),
    () => store.setMany(Array.from({ length: 50 }, (_, i) => [`m${i}`, 1])),
    () => store.increment("n"),
    () => store.range("k"),
    () => store.count(),
    () => store.delete("k1"),
    () => store.clear(),
    () => store.sweep(),
    () => store.close(),
  ];
  for (const refused of refusals) {
    const error = await Promise.resolve(refused()).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(KvError.is(error, "KV_UNAVAILABLE"), `${refused} → ${error}`).toBe(true);
    expect((error as KvError).message).toMatch(words);
  }
}

describe("nothing is acknowledged, and closing says so, after", () => {
  test("the database was deleted", async () => {
    const { path, store } = await filled();
    unlinkSync(path);
    await expectLost(store, /the database .*store\.db was moved or deleted/);
  });

  test("the database was moved away", async () => {
    const { path, store } = await filled();
    renameSync(path, `${path}.old`);
    await expectLost(store, /was moved or deleted/);
  });

  test("the directory was moved away, and another made in its place", async () => {
    const { path, store } = await filled();
    renameSync(dirname(path), `${dirname(path)}.old`);
    await expectLost(store, /was moved or deleted/);
    const again = storeOf({ path });
    await again.set("k", 1);
    expect(await again.count()).toBe(1);
  });

  test("the directory was deleted with all that was in it", async () => {
    const { path, store } = await filled();
    rmSync(dirname(path), { recursive: true });
    mkdirSync(dirname(path));
    await expectLost(store, /was moved or deleted/);
    expect(existsSync(path)).toBe(false);
  });

  test("a backup was renamed over the database", async () => {
    const { path, store, backup } = await backedUp();
    renameSync(backup, path);
    await expectLost(store, /another file has taken the place of the database/);
  });

  test("the write-ahead log was unlinked", async () => {
    const { path, store } = await filled();
    unlinkSync(`${path}-wal`);
    await expectLost(store, /the write-ahead log .*-wal was moved or deleted/);
  });

  test("the write-ahead log was unlinked and another program made a new one", async () => {
    const { path, store } = await filled();
    for (const ending of ["-wal", "-shm"]) {
      unlinkSync(`${path}${ending}`);
      writeFileSync(`${path}${ending}`, "");
    }
    await expectLost(store, /another file has taken the place of the write-ahead log/);
  });

  test("the log's index was unlinked", async () => {
    const { path, store } = await filled();
    unlinkSync(`${path}-shm`);
    await expectLost(store, /the index of the write-ahead log/);
  });

  test("the link that it was opened by leads elsewhere", async () => {
    const path = await scratchPath("releases/1/store.db");
    const current = join(dirname(path), "../current");
    mkdirSync(dirname(path), { recursive: true });
    mkdirSync(join(dirname(path), "../2"));
    symlinkSync("1", current);
    const store = storeOf({ path: join(current, "store.db") });
    await store.set("k", 1);
    unlinkSync(current);
    symlinkSync("2", current);
    await expectLost(store, /was moved or deleted/);
  });

  test("a backup was copied over the database in place, once the log was copied into it", async () => {
    const { path, store, backup } = await backedUp();
    checkpoint(path);
    await store.get("k1");
    copyFileSync(backup, path);
    await expectLost(store, /was overwritten while it was open/);
  });

  test("another database was copied over it in place", async () => {
    const { path, store } = await filled();
    const other = await scratchPath("other.db");
    const stranger = createStore(sqlite({ path: other }));
    await stranger.set("k", 1);
    await stranger.close();
    checkpoint(path);
    copyFileSync(other, path);
    await expectLost(store, /was overwritten while it was open/);
  });
});

test("a database that is back where it was is used again", async () => {
  const { path, store } = await filled();
  renameSync(path, `${path}.old`);
  await pastTheWindow();
  await expect(store.set("k", 1)).rejects.toMatchObject({ code: "KV_UNAVAILABLE", retryable: false });
  renameSync(`${path}.old`, path);
  await store.set("k", 2);
  expect(await store.get("k")).toBe(2);
  await store.close();
});

test("a store that has written nothing closes in peace", async () => {
  const { path, store } = await filled();
  await store.close();
  const reading = storeOf({ path });
  expect(await reading.get("k1")).toBeDefined();
  rmSync(dirname(path), { recursive: true });
  await pastTheWindow();
  await expect(reading.get("k1")).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
  await reading.close();
});

test("a batch that is under way as the database goes is not acknowledged", async () => {
  const { path, store } = await filled();
  const writing = store.setMany(Array.from({ length: 50_000 }, (_, i) => [`b${i}`, i]));
  setTimeout(() => renameSync(path, `${path}.old`), 5);
  await expect(writing).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
});

test("watchers are told to read again, which says what has happened", async () => {
  const path = await scratchPath("data/store.db");
  const store = storeOf({ path, watchInterval: 5 });
  const told: string[] = [];
  await store.subscribe((change) => void told.push(change.type));
  await store.set("k", 1);
  await expect.poll(() => told, { timeout: 20_000 }).toEqual(["set"]);
  unlinkSync(path);
  await expect.poll(() => told, { timeout: 20_000 }).toEqual(["set", "resync"]);
  await expect(store.get("k")).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
});

describe("is not taken for a loss:", () => {
  test("what other connections write, copy into the file and vacuum", async () => {
    const { path, store } = await filled();
    const other = new Sqlite(path);
    onTestFinished(() => void other.close());
    for (let i = 0; i < 20; i++) {
      await store.setMany(Array.from({ length: 100 }, (_, j) => [`${i}:${j}`, "y".repeat(500)]));
      other.exec("DELETE FROM kv WHERE key LIKE 'k1%'");
      if (i % 5 === 0) other.exec("VACUUM");
      other.pragma(`wal_checkpoint(${i % 2 === 0 ? "TRUNCATE" : "PASSIVE"})`);
      await sleep(12);
      await store.set("k", i);
      expect(await store.get("k")).toBe(i);
    }
    await store.close();
  });

  test("an owner who chooses another journal, and changes the working directory", async () => {
    const path = await scratchPath();
    const before = process.cwd();
    onTestFinished(() => process.chdir(before));
    process.chdir(dirname(path));
    const database = new Sqlite("store.db");
    onTestFinished(() => void database.close());
    const store = storeOf({ database });
    await store.set("k", 1);
    process.chdir("/");
    for (const journal of ["WAL", "DELETE", "TRUNCATE", "WAL", "PERSIST"]) {
      database.pragma(`journal_mode = ${journal}`);
      await pastTheWindow();
      await store.set("k", journal);
      expect(await store.get("k")).toBe(journal);
    }
    await store.close();
  });

  test("a relative path whose program changes the working directory", async () => {
    const path = await scratchPath();
    const before = process.cwd();
    onTestFinished(() => process.chdir(before));
    process.chdir(dirname(path));
    const store = storeOf({ path: "./store.db" });
    process.chdir("/");
    await store.set("k", 1);
    await pastTheWindow();
    await store.set("k", 2);
    await store.close();
    expect(readFileSync(path).length).toBeGreaterThan(0);
  });
});

describe("a database that was handed in", () => {
  test.each(["WAL", "DELETE"])("is looked after, too, with the journal %s", async (journal) => {
    const path = await scratchPath("data/store.db");
    mkdirSync(dirname(path));
    const database = new Sqlite(path);
    database.pragma(`journal_mode = ${journal}`);
    onTestFinished(() => void database.close());
    const store = storeOf({ database });
    await store.set("k", 1);
    renameSync(path, `${path}.old`);
    await expectLost(store, /was moved or deleted/);
  });

  test("with a rollback journal, a backup copied over it in place is noticed, too", async () => {
    const { path, backup, store: first } = await backedUp();
    await first.close();
    const database = new Sqlite(path);
    database.pragma("journal_mode = DELETE");
    onTestFinished(() => void database.close());
    const store = storeOf({ database });
    await store.set("k", 1);
    const old = new Sqlite(backup);
    old.pragma("journal_mode = DELETE");
    old.close();
    copyFileSync(backup, path);
    await expectLost(store, /was overwritten while it was open/);
  });

  test("whose driver has no second connection like it, as to an encrypted file, is not taken for lost", async () => {
    const path = await scratchPath();
    let made = 0;
    class Keyed extends Sqlite {
      constructor(...given: ConstructorParameters<typeof Sqlite>) {
        super(...given);
        if (made++ > 0) Object.assign(this, { prepare: refuseWithoutKey, pragma: refuseWithoutKey });
      }
    }
    const database = new Keyed(path);
    database.pragma("journal_mode = WAL");
    onTestFinished(() => void database.close());
    const store = storeOf({ database });
    await store.set("k", 1);
    database.pragma("wal_checkpoint(TRUNCATE)");
    await pastTheWindow();
    await store.set("k", 2);
    expect(await store.get("k")).toBe(2);
    renameSync(path, `${path}.old`);
    await expectLost(store, /was moved or deleted/);
  });

  test("that cannot be looked into for the moment, is not taken for lost", async () => {
    const path = await scratchPath();
    let made = 0;
    class Troubled extends Sqlite {
      constructor(...given: ConstructorParameters<typeof Sqlite>) {
        super(...given);
        // The first is the owner's; by the second the store finds out whether it can open others.
        if (++made > 2) throw Object.assign(new Error("locking protocol"), { code: "SQLITE_PROTOCOL" });
      }
    }
    const database = new Troubled(path);
    database.pragma("journal_mode = WAL");
    onTestFinished(() => void database.close());
    const store = storeOf({ database });
    await store.set("k", 1);
    database.pragma("wal_checkpoint(TRUNCATE)");
    await pastTheWindow();
    await store.set("k", 2);
    expect(await store.get("k")).toBe(2);
    expect(made).toBeGreaterThan(2);
  });

  test("closed by its owner before the store, is no loss", async () => {
    const path = await scratchPath();
    const database = new Sqlite(path);
    database.pragma("journal_mode = WAL");
    const store = storeOf({ database });
    await store.set("k", 1);
    database.close();
    await pastTheWindow();
    await expect(store.get("k")).rejects.toMatchObject({
      code: "KV_UNAVAILABLE",
      message: expect.stringContaining("not open"),
    });
    await store.close();
  });

  test("in memory, there is nothing to look after", async () => {
    const database = new Sqlite(":memory:");
    const store = storeOf({ database });
    await store.set("k", 1);
    await pastTheWindow();
    await store.set("k", 2);
    await store.close();
    database.close();
  });
});

function refuseWithoutKey(): never {
  throw Object.assign(new Error("file is not a database"), { code: "SQLITE_NOTADB" });
}
