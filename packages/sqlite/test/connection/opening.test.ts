import { fork } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createStore, KvError, type KvErrorCode } from "@kv/core";
import Sqlite from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { type SqliteOptions, sqlite } from "../../src/index.ts";
import { checksum, writeChecksum } from "../../src/stored/checksum.ts";
import { SCHEMA_VERSION } from "../../src/stored/schema.ts";
import { commitAll, opened, payloadOf, scratchPath, setting } from "../scratch.ts";

/** What the first operation of a store rejects with. */
async function refusalOf(options: SqliteOptions, operate: "get" | "set" = "get"): Promise<KvError> {
  const store = createStore(sqlite(options));
  try {
    await (operate === "get" ? store.get("k") : store.set("k", 1));
  } catch (error) {
    if (KvError.is(error)) return error;
    throw error;
  } finally {
    await store.close();
  }
  throw new Error("nothing was refused");
}

function expectRefusal(error: KvError, code: KvErrorCode, ...words: string[]): void {
  expect(error.code).toBe(code);
  for (const word of words) expect(error.message).toContain(word);
}

describe("options", () => {
  test.each([
    [{ path: "a.db", durabilty: "full" }, "durabilty"],
    [{ path: "a.db", database: {} }, "path"],
    [{}, "path"],
    [undefined, "path"],
    [{ path: "" }, "path"],
    [{ path: "file:///tmp/a.db" }, "path"],
    [{ path: "a.db", durability: "none" }, "durability"],
    [{ path: "a.db", table: "kv; DROP TABLE x" }, "table"],
    [{ path: "a.db", table: "sqlite_kv" }, "table"],
    [{ path: "a.db", busyTimeout: -1 }, "busyTimeout"],
    [{ path: "a.db", watchInterval: 0 }, "watchInterval"],
    [{ path: ":memory:", readOnly: true }, "readOnly"],
    [{ database: "a.db" }, "database"],
    [{ database: new Sqlite(":memory:"), durability: "full" }, "durability"],
  ])("%o is refused at once", (options, word) => {
    expect(() => sqlite(options as SqliteOptions)).toThrow(
      expect.objectContaining({
        name: "KvError",
        code: "KV_INVALID_OPTION",
        message: expect.stringContaining(word),
      }),
    );
  });

  test("an unknown option is answered with those there are", () => {
    expect(() => sqlite({ path: "a.db", file: "b" } as unknown as SqliteOptions)).toThrow(
      /turnSnapshots.*busyTimeout/,
    );
  });

  test("the full durability syncs every commit", async () => {
    const adapter = await opened({ path: await scratchPath(), durability: "full" });
    await commitAll(adapter, setting("k", 1));
    expect(await payloadOf(adapter, "k")).toBe("1");
  });
});

describe("a file that cannot be opened is refused with its path and the reason", () => {
  test("missing directories are made", async () => {
    const path = await scratchPath("deep/down/store.db");
    const adapter = await opened({ path });
    expect(adapter.capabilities.persistent).toBe(true);
    expect(readdirSync(dirname(path))).toContain("store.db");
  });

  test("a directory", async () => {
    const path = dirname(await scratchPath());
    expectRefusal(await refusalOf({ path }), "KV_UNAVAILABLE", path, "is a directory");
  });

  test("a path below a file", async () => {
    const path = await scratchPath();
    writeFileSync(path, "");
    expectRefusal(await refusalOf({ path: join(path, "store.db") }), "KV_UNAVAILABLE", path);
  });

  test("no database", async () => {
    const path = await scratchPath();
    writeFileSync(path, "This is a letter, and a long one at that. ".repeat(100));
    expectRefusal(await refusalOf({ path }), "KV_CORRUPT", path, "is not a SQLite database");
    expect(readFileSync(path, "utf8")).toContain("a letter");
  });

  test("no permission", async (context) => {
    if (process.getuid?.() === 0) context.skip("root has every permission");
    const path = await scratchPath("closed/store.db");
    mkdirSync(dirname(path));
    chmodSync(dirname(path), 0o500);
    expectRefusal(await refusalOf({ path }), "KV_UNAVAILABLE", path, "permission");
    chmodSync(dirname(path), 0o700);
    writeFileSync(path, "");
    chmodSync(path, 0o400);
    expectRefusal(await refusalOf({ path }), "KV_READ_ONLY", path);
    chmodSync(path, 0o000);
    expectRefusal(await refusalOf({ path }), "KV_UNAVAILABLE", path, "permission");
  });

  test("a damaged page is KV_CORRUPT where it is read", async () => {
    const path = await scratchPath();
    const store = createStore(sqlite({ path }));
    await store.setMany(Array.from({ length: 500 }, (_, i) => [`k${i}`, "x".repeat(500)] as const));
    await store.close();
    const bytes = readFileSync(path);
    bytes.fill(0xaa, 8 * 4096);
    writeFileSync(path, bytes);
    const damaged = createStore(sqlite({ path }));
    await expect(damaged.getMany(Array.from({ length: 500 }, (_, i) => `k${i}`))).rejects.toMatchObject({
      code: "KV_CORRUPT",
    });
    await damaged.close();
  });

  test("after a failed open the next operation tries again", async () => {
    const path = await scratchPath();
    mkdirSync(path);
    const store = createStore(sqlite({ path }));
    await expect(store.get("k")).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    const elsewhere = createStore(sqlite({ path: join(path, "store.db") }));
    await elsewhere.set("k", 1);
    await elsewhere.close();
    await expect(store.get("k")).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    await store.close();
  });
});

describe("read only", () => {
  test("reads what is there, and refuses writes", async () => {
    const path = await scratchPath();
    const writing = await opened({ path });
    await commitAll(writing, setting("k", 1));
    const reading = await opened({ path, readOnly: true });
    expect(await payloadOf(reading, "k")).toBe("1");
    expect(reading.capabilities.watch).toBe(false);
    expect(await reading.sweep()).toBe(0);
    expectRefusal(await refusalOf({ path, readOnly: true }, "set"), "KV_READ_ONLY");
  });

  test("neither makes a file nor a table", async () => {
    const path = await scratchPath();
    expectRefusal(await refusalOf({ path, readOnly: true }), "KV_UNAVAILABLE", "there is no such file");
    new Sqlite(path).exec("CREATE TABLE other (a)").close();
    expectRefusal(await refusalOf({ path, readOnly: true }), "KV_UNAVAILABLE", "without readOnly");
  });
});

describe("the version of the layout", () => {
  test("an older one is brought up to date, its entries kept", async () => {
    const path = await scratchPath();
    const db = new Sqlite(path);
    db.exec(`
      CREATE TABLE kv_meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
      INSERT INTO kv_meta (name, value) VALUES ('version', 1), ('revision', 1048577), ('deadlines', 0);
      CREATE TABLE kv_namespaces (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);
      INSERT INTO kv_namespaces VALUES (1, '');
      CREATE TABLE kv (
        namespace INTEGER NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL, created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL, expires_at INTEGER, evictable INTEGER NOT NULL, encoding TEXT NOT NULL,
        checksum INTEGER NOT NULL, metadata_checksum INTEGER NOT NULL, user_metadata TEXT, value TEXT NOT NULL,
        UNIQUE (namespace, key)
      );
      INSERT INTO kv VALUES (1, 'k', 7, 1000, 2000, NULL, 0, 'json', ${checksum(1, "k", "json", '"kept"', null)},
        ${writeChecksum(7, 2000, null) + 1000}, NULL, '"kept"');
    `);
    const adapter = await opened({ path });
    const version = db.prepare("SELECT value FROM kv_meta WHERE name = 'version'").pluck();
    expect(version.get()).toBe(SCHEMA_VERSION);
    expect((await adapter.read({ path: [], id: "" }, ["k"]))[0]).toMatchObject({
      payload: '"kept"',
      revision: "7",
      createdAt: 1000,
    });
    expect(await commitAll(adapter, setting("k", 2))).toMatchObject([
      { outcomes: [{ revision: expect.stringMatching(/^[\w-]{16}0$/) }] },
    ]);
    const end = await adapter.watch?.({ path: [], id: "" }, { start: "", end: undefined }, () => undefined);
    end?.();
    db.close();
  });

  test("a newer one is refused, untouched", async () => {
    const path = await scratchPath();
    await (await opened({ path })).close();
    const db = new Sqlite(path);
    db.exec("UPDATE kv_meta SET value = 99 WHERE name = 'version'; ALTER TABLE kv ADD COLUMN later");
    expectRefusal(await refusalOf({ path }), "KV_UNSUPPORTED", "newer @kv/sqlite", "upgrade", "99");
    expect(db.prepare("SELECT value FROM kv_meta WHERE name = 'version'").pluck().get()).toBe(99);
    db.close();
  });

  test.each([
    "CREATE TABLE kv (id, body)",
    "CREATE TABLE kv_meta (a)",
    "CREATE VIEW KV_Changes AS SELECT 1",
    "CREATE TABLE kv_meta (name, value)",
  ])("somebody else's table is refused, untouched: %s", async (ddl) => {
    const path = await scratchPath();
    const db = new Sqlite(path);
    db.exec(ddl);
    const before = db.prepare("SELECT * FROM sqlite_schema").all();
    expectRefusal(await refusalOf({ path }), "KV_UNSUPPORTED", "@kv/sqlite did not make", "option table");
    expect(db.prepare("SELECT * FROM sqlite_schema").all()).toEqual(before);
    db.close();
    await opened({ path, table: "another" });
  });
});

test("processes that open a new file at the same time all succeed", async () => {
  const path = await scratchPath();
  const script = fileURLToPath(new URL("../processes/count.ts", import.meta.url));
  const exits = Array.from({ length: 6 }, () => {
    const child = fork(script, [path, "50"]);
    return new Promise<number | null>((resolve) => child.on("exit", resolve));
  });
  expect(await Promise.all(exits)).toEqual([0, 0, 0, 0, 0, 0]);
  const adapter = await opened({ path });
  expect(await payloadOf(adapter, "counter")).toBe("300");
});

test("closing twice, or without having opened, is no fault", async () => {
  const adapter = sqlite({ path: await scratchPath() });
  await adapter.close();
  await adapter.open();
  await adapter.close();
  await adapter.close();
});
