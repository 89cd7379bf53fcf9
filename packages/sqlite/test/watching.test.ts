import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Adapter, StoredChange } from "@kv/core";
import Sqlite from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { commitAll, opened, ROOT, scratchPath, setting, until } from "./scratch.ts";

const EVERYTHING = { start: "", end: undefined };

async function watched(
  adapter: Adapter,
): Promise<{ seen: StoredChange[]; end: () => void; told: () => string[] }> {
  const seen: StoredChange[] = [];
  const end = await adapter.watch?.(ROOT, EVERYTHING, (changes) => void seen.push(...changes));
  return {
    seen,
    end: () => end?.(),
    told: () => seen.map((change) => (change.type === "resync" ? "resync" : `${change.type} ${change.key}`)),
  };
}

function plain(path: string): Sqlite.Database {
  const db = new Sqlite(path);
  onTestFinished(() => void db.close());
  return db;
}

function count(db: Sqlite.Database, what: "triggers" | "kv_watchers" | "kv_changes"): unknown {
  const from = what === "triggers" ? "sqlite_schema WHERE type = 'trigger'" : what;
  return db.prepare(`SELECT count(*) FROM ${from}`).pluck().get();
}

function child(...args: string[]): ChildProcess {
  const process = fork(fileURLToPath(new URL("./processes/watch.ts", import.meta.url)), args);
  onTestFinished(() => void process.kill("SIGKILL"));
  return process;
}

test("changes of another process arrive in order, and its own at once", async () => {
  const path = await scratchPath();
  const adapter = await opened({ path });
  const watching = child(path);
  await once(watching, "message");
  const heard: string[] = [];
  watching.on("message", (change: string) => heard.push(change));
  await commitAll(adapter, setting("a", 1));
  await commitAll(adapter, setting("b", 1), { checks: [], mutations: [{ type: "delete", key: "a" }] });
  for (let i = 2; i <= 600; i++) void adapter.commit(ROOT, [setting("b", i)]);
  await until(() => heard.at(-1) === "set b 600");
  expect(heard.indexOf("delete a")).toBeLessThan(heard.indexOf("set b 600"));
  expect(heard.filter((change) => change.startsWith("set a")).length).toBeLessThanOrEqual(1);
  const numbers = heard
    .filter((change) => change.startsWith("set b"))
    .map((change) => Number(change.slice(6)));
  expect(numbers).toEqual([...numbers].sort((x, y) => x - y));

  const { told } = await watched(adapter);
  await commitAll(adapter, setting("c", 1));
  await Promise.resolve();
  expect(told()).toEqual(["set c"]);
});

test("each kind of change is told as what it was", async () => {
  const path = await scratchPath();
  let now = 1000;
  const writing = await opened({ path, clock: () => now });
  const adapter = await opened({ path, clock: () => now, watchInterval: 2 });
  await commitAll(writing, setting("before", 1));
  const { told, seen } = await watched(adapter);
  await commitAll(writing, setting("k", 1, { expiresAt: 2000 }), setting("t", 1));
  await until(() => seen.length === 2);
  await commitAll(writing, {
    checks: [],
    mutations: [{ type: "touch", key: "t", expiresAt: undefined, policy: "evict" }],
  });
  await until(() => seen.length === 3);
  await commitAll(writing, { checks: [], mutations: [{ type: "delete", key: "before" }] });
  await until(() => seen.length === 4);
  now = 2000;
  await writing.sweep();
  await until(() => seen.length === 5);
  await writing.clear(ROOT, { ...EVERYTHING, policy: "evict", descendants: false });
  await until(() => seen.length === 6);
  expect(told()).toEqual(["set k", "set t", "touch t", "delete before", "expire k", "delete t"]);
});

test("without watchers there is no trigger and no trace", async () => {
  const path = await scratchPath();
  const db = plain(path);
  const adapter = await opened({ path });
  const other = await opened({ path });
  const [first, second] = [await watched(adapter), await watched(other)];
  await commitAll(adapter, setting("k", 1));
  expect([count(db, "triggers"), count(db, "kv_watchers")]).toEqual([3, 2]);
  first.end();
  first.end();
  await commitAll(adapter, setting("k", 2));
  await until(() => second.told().includes("set k"));
  expect([count(db, "triggers"), count(db, "kv_watchers")]).toEqual([3, 1]);
  await other.close();
  expect([count(db, "triggers"), count(db, "kv_watchers"), count(db, "kv_changes")]).toEqual([0, 0, 0]);
  await commitAll(adapter, setting("k", 3));
  expect(count(db, "kv_changes")).toBe(0);
  expect(first.seen).toHaveLength(1);
});

test("a process that was killed stops slowing the writers", async () => {
  const path = await scratchPath();
  const db = plain(path);
  const adapter = await opened({ path });
  const watching = child(path);
  await once(watching, "message");
  watching.kill("SIGKILL");
  await once(watching, "exit");
  await commitAll(adapter, setting("k", 1));
  expect([count(db, "triggers"), count(db, "kv_changes")]).toEqual([3, 1]);
  db.exec("UPDATE kv_watchers SET seen_at = seen_at - 60000");
  await adapter.sweep();
  expect([count(db, "triggers"), count(db, "kv_watchers"), count(db, "kv_changes")]).toEqual([0, 0, 0]);
});

test("who was taken for dead, or lags too far behind, is told to read again", async () => {
  const path = await scratchPath();
  const db = plain(path);
  const adapter = await opened({ path, watchInterval: 2 });
  const { told, seen } = await watched(adapter);
  await commitAll(adapter, setting("a", 1));
  await until(() => seen.length === 1);
  db.exec(
    "BEGIN; DROP TRIGGER kv_on_insert; DROP TRIGGER kv_on_update; DROP TRIGGER kv_on_delete; DELETE FROM kv_watchers; DELETE FROM kv_changes; UPDATE kv SET revision = 9, value = '9'; COMMIT",
  );
  await until(() => seen.length === 2);
  await commitAll(adapter, setting("b", 1));
  await until(() => seen.length === 3);
  // As if the earlier changes had been removed because there were too many.
  db.exec(
    "BEGIN; UPDATE kv SET revision = 10; DELETE FROM kv_changes; UPDATE kv SET revision = 11 WHERE key = 'a'; COMMIT",
  );
  await until(() => seen.length === 5);
  expect(told()).toEqual(["set a", "resync", "set b", "resync", "set a"]);
  expect(count(db, "kv_watchers")).toBe(1);
});

test("a watch alone does not keep the process alive", async () => {
  const watching = child(await scratchPath(), "alone");
  const [code] = await once(watching, "exit");
  expect(code).toBe(0);
});

test("nothing is told after the end, nor of other namespaces and keys", async () => {
  const adapter = await opened({ path: ":memory:" });
  const seen: StoredChange[] = [];
  const bounds = { start: "b", end: "c" };
  const end = await adapter.watch?.(
    { path: ["n"], id: "n/" },
    bounds,
    (changes) => void seen.push(...changes),
  );
  await commitAll(adapter, setting("b", 1));
  await adapter.commit(
    { path: ["n"], id: "n/" },
    ["a", "b", "c"].map((key) => setting(key, 1)),
  );
  await Promise.resolve();
  end?.();
  await adapter.commit({ path: ["n"], id: "n/" }, [setting("b", 2)]);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(seen).toMatchObject([{ type: "set", key: "b", entry: { payload: "1" } }]);
});

test("what only its writer could read is not noted, and everything as soon as somebody else watches", async () => {
  const path = await scratchPath();
  const db = plain(path);
  const adapter = await opened({ path, watchInterval: 2 });
  const other = await opened({ path, watchInterval: 2 });
  await commitAll(adapter, setting("a", 0));
  const theirs: string[] = [];
  const listener = (changes: readonly StoredChange[]) =>
    theirs.push(
      ...changes.map((change) => (change.type === "resync" ? "resync" : `${change.type} ${change.key}`)),
    );
  const end = await adapter.watch?.(ROOT, EVERYTHING, listener, true);
  await commitAll(adapter, setting("a", 1), setting("b", 1));
  expect(count(db, "kv_changes")).toBe(0);

  // Changes of other processes are, also those that change or remove entries of this one.
  await commitAll(other, setting("b", 2), { checks: [], mutations: [{ type: "delete", key: "a" }] });
  await until(() => theirs.includes("set b") && theirs.includes("delete a"));
  const touch = { type: "touch", key: "b", expiresAt: undefined, policy: "evict" } as const;
  await commitAll(other, { checks: [], mutations: [touch] });
  await until(() => theirs.includes("touch b"));

  // A watcher of this process that wants all changes, from its beginning to its end.
  const { told, end: endOwn } = await watched(adapter);
  await commitAll(adapter, setting("d", 1));
  await until(() => told().includes("set d"));
  endOwn();
  await commitAll(adapter, setting("e", 1));
  const before = count(db, "kv_changes");
  await commitAll(adapter, setting("e", 2));
  expect(count(db, "kv_changes")).toBe(before);

  // One of another process.
  const { told: toldOther, end: endOther } = await watched(other);
  await commitAll(adapter, setting("f", 1));
  await until(() => toldOther().includes("set f"));
  endOther();
  end?.();
  await until(() => count(db, "triggers") === 0);
});

test("who wants others' changes alone names the revisions that it gives out as soon as it does", async () => {
  const path = await scratchPath();
  const db = plain(path);
  const adapter = await opened({ path, watchInterval: 2 });
  await adapter.watch?.(ROOT, EVERYTHING, () => undefined, true);
  await commitAll(adapter, setting("a", 1));
  expect(count(db, "kv_changes")).toBe(1);
  await until(() => db.prepare("SELECT own_end FROM kv_watchers").pluck().get() !== 0);
  await commitAll(adapter, setting("a", 2));
  expect(count(db, "kv_changes")).toBe(1);
});

test("what one adapter over a connection writes, the watchers of another one are told", async () => {
  const db = plain(await scratchPath());
  db.pragma("journal_mode = WAL");
  const [watcher, writer] = [await opened({ database: db }), await opened({ database: db })];
  const { told } = await watched(watcher);
  // It has looked by then.
  await new Promise((resolve) => setTimeout(resolve, 100));
  await commitAll(writer, setting("k", 1));
  // Sooner than the next sign of life, after which it would look by itself.
  await expect.poll(told, { timeout: 4000 }).toEqual(["set k"]);
});
