import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { createStore, type Store } from "@kv/core";
import Sqlite from "better-sqlite3";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type SqliteOptions, sqlite } from "../../src/index.ts";
import { checksum, writeChecksum } from "../../src/stored/checksum.ts";
import { commitAll, opened, scratchPath, setting } from "../scratch.ts";

function storeOf(options: SqliteOptions): Store {
  const store = createStore(sqlite(options));
  onTestFinished(() => store.close());
  return store;
}

async function revisionOf(store: Store, key: string): Promise<string> {
  const metadata = await store.getMetadata(key);
  if (metadata === undefined) throw new Error(`${key} is absent`);
  return metadata.revision;
}

test("a revision of the future that a restore has undone matches nothing", async () => {
  const path = await scratchPath();
  const backup = join(path, "../backup.db");
  const before = storeOf({ path });
  await before.set("k", "kept");
  const kept = await revisionOf(before, "k");
  await before.close();
  copyFileSync(path, backup);

  const lost = storeOf({ path });
  const remembered = await lost.set("k", "lost");
  await lost.close();

  // Closed, and into an empty place, as the README says.
  const restored = join(path, "../restored.db");
  copyFileSync(backup, restored);
  const after = storeOf({ path: restored });
  expect(await revisionOf(after, "k")).toBe(kept);
  const written = await after.set("k", "never seen by who remembers");
  expect(written).not.toBe(remembered);
  expect(await after.replace("k", "overwritten", { revision: remembered })).toBeUndefined();
  expect(await after.delete("k", { revision: remembered })).toBe(false);
  expect(await after.atomic().check("k", remembered).delete("k").commit()).toMatchObject({ ok: false });
  expect(await after.replace("k", "mine", { revision: written })).toBeDefined();
});

test("a backup that was made while the store was open goes on with other revisions than the store", async () => {
  const path = await scratchPath();
  const copy = join(path, "../copy.db");
  const store = storeOf({ path });
  await store.set("k", 0);
  const database = new Sqlite(path);
  await database.backup(copy);
  database.close();
  const copied = storeOf({ path: copy });
  const given = new Set<string>();
  for (let i = 0; i < 50; i++) given.add(await store.set("k", i)).add(await copied.set("k", i));
  expect(given.size).toBe(100);
});

test("what one connection writes, others read and check by the same revision, whatever block it is of", async () => {
  const path = await scratchPath();
  const writers = [storeOf({ path }), storeOf({ path }), storeOf({ path })] as const;
  const reader = storeOf({ path });
  const readOnly = storeOf({ path, readOnly: true });
  for (let round = 0; round < 3; round++) {
    for (const writer of writers) {
      const revision = await writer.set("k", round);
      expect([await revisionOf(reader, "k"), await revisionOf(readOnly, "k")]).toEqual([revision, revision]);
      const next = await reader.replace("k", "r", { revision });
      expect(next).toBeDefined();
      expect(await revisionOf(writer, "k")).toBe(next);
      expect(await writer.replace("k", "w", { revision })).toBeUndefined();
    }
  }
  await Promise.all(writers.map((writer, i) => writer.set(`of ${i}`, i)));
  const found: string[] = [];
  for await (const { metadata } of reader.entries()) found.push(metadata.revision);
  const again = storeOf({ path });
  expect(await Promise.all(["k", "of 0", "of 1", "of 2"].map((key) => revisionOf(again, key)))).toEqual(
    found,
  );
});

test("watchers are told the revisions that their writers were told", async () => {
  const path = await scratchPath();
  const [watching, writing] = [storeOf({ path, watchInterval: 2 }), storeOf({ path })];
  const told: (string | undefined)[] = [];
  const subscription = await watching.subscribe(
    (change) => void told.push("revision" in change ? change.revision : undefined),
  );
  const revision = await writing.set("k", 1);
  await expect.poll(() => told, { timeout: 20_000 }).toEqual([revision]);
  await subscription.unsubscribe();
});

test("rows of an older layout keep their revisions, and read only they need no migration", async () => {
  const path = await scratchPath();
  const sums = (key: string, revision: number) =>
    `${checksum(1, key, "json", '"old"', null)}, ${writeChecksum(revision, 2000, null) + 1000}`;
  const db = new Sqlite(path);
  db.exec(`
    CREATE TABLE kv_meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO kv_meta (name, value) VALUES ('version', 3), ('revision', 2097153), ('deadlines', 0);
    CREATE TABLE kv_namespaces (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);
    INSERT INTO kv_namespaces VALUES (1, ''), (5, 'n/');
    CREATE TABLE kv (
      namespace INTEGER NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL, created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL, expires_at INTEGER, evictable INTEGER NOT NULL, encoding TEXT NOT NULL,
      checksum INTEGER NOT NULL, metadata_checksum INTEGER NOT NULL, user_metadata TEXT, value TEXT NOT NULL,
      UNIQUE (namespace, key)
    );
    CREATE TABLE kv_changes (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, namespace INTEGER NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL
    );
    CREATE TABLE kv_watchers (
      id TEXT PRIMARY KEY, position INTEGER NOT NULL, seen_at INTEGER NOT NULL,
      own_first INTEGER NOT NULL DEFAULT 0, own_end INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    INSERT INTO kv VALUES (1, 'a', 7, 1000, 2000, NULL, 0, 'json', ${sums("a", 7)}, NULL, '"old"');
    INSERT INTO kv VALUES (1, 'b', 1048599, 1000, 2000, NULL, 0, 'json', ${sums("b", 1048599)}, NULL, '"old"');
  `);
  db.close();
  const reading = storeOf({ path, readOnly: true });
  expect([await revisionOf(reading, "a"), await revisionOf(reading, "b")]).toEqual(["7", "1048599"]);

  const store = storeOf({ path });
  expect(await store.get("a")).toBe("old");
  const written = await store.set("c", "new");
  expect(written).not.toMatch(/^\d+$/);
  expect([await revisionOf(store, "a"), await revisionOf(store, "b")]).toEqual(["7", "1048599"]);
  expect([await revisionOf(reading, "a"), await revisionOf(reading, "c")]).toEqual(["7", written]);
  expect(await store.replace("a", "new", { revision: "7" })).toBeDefined();
  expect(await store.replace("b", "new", { revision: "1048598" })).toBeUndefined();
  await store.namespace("m").set("k", 1);
  const now = new Sqlite(path, { readonly: true });
  expect(now.prepare("SELECT id FROM kv_namespaces WHERE path = 'm/'").pluck().get()).toBe(6);
  now.close();
});

test("a block that was used up is followed by one with a text of its own", async () => {
  const path = await scratchPath();
  const adapter = await opened({ path });
  const mutations = Array.from({ length: 2 ** 20 + 10 }, () => ({ type: "delete", key: "absent" }) as const);
  const [first] = await commitAll(adapter, setting("k", 1));
  // Reserves more than is left of the first block.
  await commitAll(adapter, { checks: [], mutations });
  const [second] = await commitAll(adapter, setting("k", 2));
  expect(first).not.toEqual(second);
  const db = new Sqlite(path, { readonly: true });
  expect(db.prepare("SELECT count(DISTINCT text) FROM kv_revisions").pluck().get()).toBe(2);
  db.close();
});

describe("blocks of revisions", () => {
  /** As many openings as that, each of which wrote, long ago. */
  async function afterManyOpenings() {
    const path = await scratchPath();
    const store = storeOf({ path });
    await store.setMany([
      ["first", 1],
      ["kept", 1],
    ]);
    const kept = await revisionOf(store, "kept");
    const db = new Sqlite(path);
    onTestFinished(() => void db.close());
    db.exec(`
      WITH RECURSIVE c (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM c WHERE i < 1500)
      INSERT INTO kv_revisions SELECT i * 1048576 + 1, (i + 1) * 1048576 + 1, 'old-' || i, 1 FROM c;
      UPDATE kv_meta SET value = 1501 * 1048576 + 1 WHERE name = 'revision';
      UPDATE kv_revisions SET reserved_at = 1;
    `);
    const blocks = db.prepare<[], number>("SELECT count(*) FROM kv_revisions").pluck();
    return { path, store, db, kept, blocks: () => blocks.get() };
  }

  test("that no entry bears go with a sweep, once they are many and old, and revisions stay", async () => {
    const { path, store, db, kept, blocks } = await afterManyOpenings();
    const row = db.prepare(
      "UPDATE kv SET revision = ?, metadata_checksum = ? + created_at WHERE key = 'first'",
    );
    const updated =
      db.prepare<[], number>("SELECT updated_at FROM kv WHERE key = 'first'").pluck().get() ?? 0;
    const revision = 700 * 1048576 + 5;
    row.run(revision, writeChecksum(revision, updated, null));
    const sweeping = storeOf({ path });
    expect(await revisionOf(sweeping, "first")).toBe("old-7004");
    await sweeping.sweep();
    // The very first, and the one that is borne.
    expect(blocks()).toBe(2);
    for (const reader of [store, sweeping, storeOf({ path })])
      expect([await revisionOf(reader, "first"), await revisionOf(reader, "kept")]).toEqual([
        "old-7004",
        kept,
      ]);
    expect(await sweeping.replace("kept", 2, { revision: kept })).toBeDefined();
  });

  test("stay where the table was vacuumed meanwhile, and where they are young or few", async () => {
    const { path, db, blocks } = await afterManyOpenings();
    const rows = storeOf({ path });
    await rows.setMany(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i]));
    let done = false;
    const sweeping = rows.sweep().finally(() => {
      done = true;
    });
    while (!done) {
      db.exec("VACUUM");
      await new Promise((resolve) => setImmediate(resolve));
    }
    await sweeping;
    expect(blocks()).toBe(1501);
    db.exec("UPDATE kv_revisions SET reserved_at = unixepoch() * 1000");
    await storeOf({ path }).sweep();
    expect(blocks()).toBe(1501);
  });

  test("may go while their connection sleeps, which is no loss of the file", async () => {
    const { path, db, store } = await afterManyOpenings();
    const sleeping = storeOf({ path });
    await sleeping.set("slept", 1);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60 * 24 * 60 * 60 * 1000 });
    onTestFinished(() => void vi.useRealTimers());
    await store.set("slept", 2);
    await storeOf({ path }).sweep();
    expect(db.prepare("SELECT count(*) FROM kv_revisions").pluck().get()).toBe(2);
    db.pragma("wal_checkpoint(TRUNCATE)");
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await sleeping.get("slept")).toBe(2);
    await sleeping.set("slept", 3);
    await sleeping.sweep();
    await sleeping.close();
  });

  test("are given out for a day", async () => {
    const path = await scratchPath();
    const store = storeOf({ path });
    const text = (revision: string) => revision.slice(0, 16);
    const before = text(await store.set("k", 1));
    expect(text(await store.set("k", 2))).toBe(before);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 25 * 60 * 60 * 1000 });
    onTestFinished(() => void vi.useRealTimers());
    expect(text(await store.set("k", 3))).not.toBe(before);
  });
});
