import { createStore } from "@kv/core";
import Sqlite from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { sqlite } from "../../src/index.ts";
import { commitAll, opened, payloadOf, ROOT, scratchPath, setting, until } from "../scratch.ts";

/** Another connection that holds the write lock until it is released. */
function lockOn(path: string): { release(): void } {
  const db = new Sqlite(path);
  db.exec("BEGIN IMMEDIATE");
  const release = () => {
    if (db.open) db.exec("ROLLBACK").close();
  };
  onTestFinished(release);
  return { release };
}

describe("while another connection holds the write lock", () => {
  test("a write waits without blocking the event loop, and later ones behind it", async () => {
    const path = await scratchPath();
    const adapter = await opened({ path });
    await commitAll(adapter, setting("k", 0));
    const lock = lockOn(path);
    const order: number[] = [];
    const writes = [1, 2, 3].map((value) =>
      commitAll(adapter, setting("k", value)).then(() => order.push(value)),
    );
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 5);
    await until(() => ticks > 15);
    clearInterval(ticking);
    expect(order).toEqual([]);
    expect(await payloadOf(adapter, "k")).toBe("0");
    lock.release();
    await Promise.all(writes);
    expect(order).toEqual([1, 2, 3]);
    expect(await payloadOf(adapter, "k")).toBe("3");
  });

  test("it gives up after busyTimeout with KV_UNAVAILABLE, which is worth a retry", async () => {
    const path = await scratchPath();
    const store = createStore(sqlite({ path, busyTimeout: 100 }));
    await store.set("k", 1);
    const lock = lockOn(path);
    await expect(store.set("k", 2)).rejects.toMatchObject({
      code: "KV_UNAVAILABLE",
      retryable: true,
      message: expect.stringContaining("locked"),
    });
    expect(await store.get("k")).toBe(1);
    lock.release();
    await store.set("k", 3);
    expect(await store.get("k")).toBe(3);
    await store.close();
  });

  test("calls on one key do not wait one after the other: each has the time of its own call", async () => {
    const path = await scratchPath();
    const store = createStore(sqlite({ path, busyTimeout: 400 }), { timeout: "500ms" });
    await store.set("k", 0);
    const lock = lockOn(path);
    const since = performance.now();
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 5);
    const calls = Array.from({ length: 50 }, (_, i) =>
      i % 2 === 0 ? store.update("k", (value: unknown) => Number(value) + 1) : store.increment("k"),
    );
    const outcomes = await Promise.allSettled(calls);
    clearInterval(ticking);
    // One after the other they would have taken twenty seconds.
    expect(performance.now() - since).toBeLessThan(10_000);
    expect(ticks).toBeGreaterThan(1);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        status: "rejected",
        reason: { code: expect.stringMatching(/^KV_(UNAVAILABLE|TIMEOUT)$/) },
      });
    }
    lock.release();
    await store.set("k", 7);
    expect(await store.increment("k")).toBe(8);
    await store.close();
  });

  test("of calls on one key the first says who has the lock, and nothing is written for the others", async (context) => {
    if (process.env["KV_TEST_FULL"] !== "1") context.skip("needs KV_TEST_FULL=1");
    const path = await scratchPath();
    const store = createStore(sqlite({ path }));
    await store.set("k", 0);
    const lock = lockOn(path);
    const outcomes = await Promise.allSettled([
      store.increment("k"),
      ...Array.from({ length: 3 }, () => store.update("k", (value: unknown) => Number(value) + 1)),
    ]);
    lock.release();
    expect(outcomes).toMatchObject([
      { reason: { code: "KV_UNAVAILABLE", message: expect.stringContaining("locked") } },
      ...Array.from({ length: 3 }, () => ({
        reason: { code: "KV_TIMEOUT", retryable: true, message: expect.stringContaining("not begun") },
      })),
    ]);
    await store.set("other", 1);
    expect(await store.get("k")).toBe(0);
    await store.close();
  });

  test("opening waits, too", async () => {
    const path = await scratchPath();
    const db = new Sqlite(path);
    db.exec("BEGIN EXCLUSIVE");
    const opening = opened({ path });
    await new Promise((resolve) => setTimeout(resolve, 50));
    db.exec("COMMIT").close();
    const adapter = await opening;
    await commitAll(adapter, setting("k", 1));
    expect(await payloadOf(adapter, "k")).toBe("1");
  });

  test("closing waits for what was accepted", async () => {
    const path = await scratchPath();
    const adapter = await opened({ path });
    await commitAll(adapter, setting("k", 1));
    const lock = lockOn(path);
    const write = commitAll(adapter, setting("k", 2));
    const closing = adapter.close();
    setTimeout(() => lock.release(), 50);
    await Promise.all([write, closing]);
    expect(await payloadOf(await opened({ path }), "k")).toBe("2");
  });
});

describe("the reads of one turn", () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  test("share a snapshot, which ends with the turn or with a write", async () => {
    const path = await scratchPath();
    const reader = await opened({ path });
    const stranger = new Sqlite(path);
    onTestFinished(() => void stranger.close());
    await commitAll(reader, setting("k", 1));
    const read = () => {
      const entries = reader.read(ROOT, ["k"]);
      return entries instanceof Promise ? undefined : entries[0]?.payload;
    };
    await turn();
    expect([read(), read()]).toEqual(["1", "1"]);
    stranger.exec("DELETE FROM kv");
    expect(read()).toBe("1");
    await turn();
    expect([read(), read()]).toEqual([undefined, undefined]);
    void reader.commit(ROOT, [setting("k", 3)]);
    expect([read(), read()]).toEqual(["3", "3"]);
    stranger.exec("DELETE FROM kv");
    void reader.commit(ROOT, [setting("other", 1)]);
    expect([read(), read()]).toEqual([undefined, undefined]);
  });

  test("see everything at once with turnSnapshots: false", async () => {
    const path = await scratchPath();
    const reader = await opened({ path, turnSnapshots: false });
    const writer = await opened({ path });
    for (const value of [1, 2, 3]) {
      void writer.commit(ROOT, [setting("k", value)]);
      expect(reader.read(ROOT, ["k"])).toMatchObject([{ payload: String(value) }]);
    }
  });

  test("do not keep the write-ahead log from being emptied", async () => {
    const path = await scratchPath();
    const adapter = await opened({ path });
    for (let i = 0; i < 40; i++) {
      await commitAll(
        adapter,
        ...Array.from({ length: 100 }, (_, j) => setting(`k${i}:${j}`, "x".repeat(1000))),
      );
      for (let j = 0; j < 100; j++) adapter.read(ROOT, [`k${i}:${j}`]);
    }
    const log = new Sqlite(path).pragma("wal_checkpoint(PASSIVE)") as [{ log: number }];
    expect(log[0].log).toBeLessThan(2500);
  });
});

describe("in a database with a rollback journal", () => {
  /** A connection handed in, with the rollback journal, and another one. */
  async function pair() {
    const path = await scratchPath();
    // Without a busy timeout of its own, which would block this thread.
    const [database, other] = [new Sqlite(path, { timeout: 0 }), new Sqlite(path)];
    const store = createStore(sqlite({ database }));
    onTestFinished(async () => {
      await store.close();
      other.close();
      database.close();
    });
    return { store, database, other };
  }

  test("what was rolled back, as somebody was reading, is not acknowledged, and done again", async () => {
    const { store, database, other } = await pair();
    await store.set("number", 1);
    database.prepare("UPDATE kv SET value = '7' WHERE key = 'number'").run();
    other.exec("BEGIN");
    other.prepare("SELECT count(*) FROM kv").get();
    setTimeout(() => other.exec("COMMIT"), 200);
    const outcomes = await Promise.allSettled([
      store.set("a", 1),
      store.increment("number"),
      store.set("b", 2),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await store.getMany(["a", "b"])).toEqual([1, 2]);
  });

  test("scans and counts wait for who writes, as gets do", async () => {
    const { store, other } = await pair();
    await store.set("k", 1);
    await store.namespace("n").set("k", 1);
    other.exec("BEGIN EXCLUSIVE");
    setTimeout(() => other.exec("COMMIT"), 200);
    const answers = await Promise.all([
      store.get("k"),
      store.range(""),
      store.count(),
      store.listNamespaces(),
      store.stats().then(({ keys }) => keys),
    ]);
    expect(answers).toEqual([1, [["k", 1]], 1, [["n"]], 1]);
  });
});
