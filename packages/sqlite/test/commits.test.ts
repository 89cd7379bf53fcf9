import { createStore, type Mutation } from "@kv/core";
import Sqlite from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { sqlite } from "../src/index.ts";
import { commitAll, opened, payloadOf, scratchPath, setting } from "./scratch.ts";

function incrementing(key: string, by = 1): Mutation {
  return { type: "increment", key, by, expiresAt: undefined, policy: "persist", user: undefined };
}

describe("revisions", () => {
  test("are never given twice, by whatever connection, before or after a restart", async () => {
    const path = await scratchPath();
    const seen = new Set<string>();
    let writes = 0;
    for (let round = 0; round < 3; round++) {
      const adapters = [await opened({ path }), await opened({ path })];
      for (let i = 0; i < 20; i++) {
        for (const adapter of adapters) {
          const [result] = await commitAll(adapter, setting("k", i));
          if (result?.status === "ok") seen.add(result.outcomes[0]?.revision ?? "");
          writes++;
        }
      }
      for (const adapter of adapters) await adapter.close();
    }
    expect(seen.size).toBe(writes);
  });

  test("are not given again after a rollback", async () => {
    const path = await scratchPath();
    const adapter = await opened({ path });
    const [first] = await commitAll(adapter, setting("k", 1));
    const failing = {
      checks: [],
      mutations: [...setting("a", 1).mutations, ...setting("b", "x").mutations, incrementing("b")],
    };
    expect(await commitAll(adapter, failing)).toEqual([{ status: "not-a-number", key: "b" }]);
    expect(await payloadOf(adapter, "a")).toBeUndefined();
    const [second] = await commitAll(adapter, setting("k", 2));
    expect(second).not.toEqual(first);
  });
});

describe("of several commits", () => {
  /** Makes SQLite refuse every write of the key `bad`. */
  function forbidding(path: string): void {
    const db = new Sqlite(path);
    db.exec(
      "CREATE TRIGGER forbid BEFORE INSERT ON kv WHEN NEW.key = 'bad' BEGIN SELECT RAISE(ABORT, 'forbidden'); END",
    );
    db.close();
  }

  test("one that fails takes no other with it", async () => {
    const path = await scratchPath();
    const adapter = await opened({ path });
    forbidding(path);
    const both = { checks: [], mutations: [...setting("half", 1).mutations, ...setting("bad", 1).mutations] };
    const results = await commitAll(
      adapter,
      setting("a", 1),
      both,
      setting("b", 2),
      setting("bad", 3),
      setting("c", 4),
    );
    expect(results.map(({ status }) => status)).toEqual(["ok", "error", "ok", "error", "ok"]);
    expect(results[1]).toMatchObject({ error: { message: "forbidden" } });
    expect(await Promise.all(["a", "half", "b", "bad", "c"].map((key) => payloadOf(adapter, key)))).toEqual([
      "1",
      undefined,
      "2",
      undefined,
      "4",
    ]);
  });

  test("the store rejects the one call that failed", async () => {
    const path = await scratchPath();
    const store = createStore(sqlite({ path }));
    await store.set("a", 0);
    forbidding(path);
    const settled = await Promise.allSettled([store.set("a", 1), store.set("bad", 2), store.set("b", 3)]);
    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    await store.close();
  });

  test("all are rolled back where the database is full, and the store goes on when there is space", async () => {
    const database = new Sqlite(await scratchPath());
    onTestFinished(() => void database.close());
    const store = createStore(sqlite({ database }));
    await store.set("a", 0);
    const pages = Number(database.pragma("page_count", { simple: true }));
    database.pragma(`max_page_count = ${pages + 2}`);
    const settled = await Promise.allSettled([store.set("a", 1), store.set("b", "x".repeat(100_000))]);
    expect(settled).toMatchObject([
      { status: "rejected", reason: { code: "KV_CAPACITY" } },
      { status: "rejected", reason: { code: "KV_CAPACITY" } },
    ]);
    expect(await store.getMany(["a", "b"])).toEqual([0, undefined]);
    database.pragma("max_page_count = 1000000");
    await store.set("a", 2);
    expect(await store.get("a")).toBe(2);
    await store.close();
  });

  test("a long batch leaves the event loop alive", async () => {
    const adapter = await opened({ path: await scratchPath() });
    let turns = 0;
    const counting = setInterval(() => turns++, 1);
    const results = await commitAll(
      adapter,
      ...Array.from({ length: 20_000 }, (_, i) => setting(`k${i}`, i)),
    );
    clearInterval(counting);
    expect(results).toHaveLength(20_000);
    expect(turns).toBeGreaterThan(3);
    expect(await payloadOf(adapter, "k19999")).toBe("19999");
  });
});

describe("a database handed in", () => {
  function handedIn(path: string): Sqlite.Database {
    const database = new Sqlite(path);
    onTestFinished(() => void database.close());
    return database;
  }

  test("stays open, and its own tables and pragmas as they are", async () => {
    const database = handedIn(await scratchPath());
    database.exec("CREATE TABLE own (a); INSERT INTO own VALUES (1)");
    database.pragma("journal_mode = DELETE");
    database.defaultSafeIntegers(true);
    const store = createStore(sqlite({ database, table: "cache" }));
    await store.set("k", { n: 1 }, { ttl: "1h" });
    expect(await store.increment("n")).toBe(1);
    expect(await store.getMany(["k", "n"])).toEqual([{ n: 1 }, 1]);
    expect(await store.clear()).toBe(2);
    expect(await store.sweep()).toBe(0);
    await store.close();
    expect(database.open).toBe(true);
    expect(database.prepare("SELECT a FROM own").all()).toEqual([{ a: 1n }]);
    expect(database.pragma("journal_mode", { simple: true })).toBe("delete");
    expect(database.pragma("busy_timeout", { simple: true })).toBe(5000n);
  });

  test("while its owner's transaction is open, writes wait and are no part of it", async () => {
    const database = handedIn(await scratchPath());
    const store = createStore(sqlite({ database }));
    await store.set("k", 1);
    await Promise.all([store.get("k"), store.get("k")]);
    database.exec("BEGIN");
    const writing = store.set("k", 2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    database.exec("ROLLBACK");
    await writing;
    expect(await store.get("k")).toBe(2);
    await store.close();
  });

  test("while its owner goes through a query, writes wait", async () => {
    const database = handedIn(await scratchPath());
    database.exec("CREATE TABLE own (a); INSERT INTO own VALUES (1), (2)");
    const store = createStore(sqlite({ database }));
    await store.set("k", 1);
    const rows = database.prepare("SELECT a FROM own").iterate();
    rows.next();
    const writing = store.set("k", 2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    rows.return?.();
    await writing;
    expect(await store.get("k")).toBe(2);
    await store.close();
  });

  test("closed by its owner, it is KV_UNAVAILABLE", async () => {
    const database = handedIn(await scratchPath());
    const store = createStore(sqlite({ database }));
    await store.set("k", 1);
    database.close();
    await expect(store.get("k")).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    await store.close();
  });
});
