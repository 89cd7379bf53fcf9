import { createStore } from "@kv/core";
import Sqlite from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { sqlite } from "../src/index.ts";
import { commitAll, opened, payloadOf, ROOT, scratchPath, setting } from "./scratch.ts";

/** Another connection that holds the write lock until it is told to let go. */
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
    await new Promise((resolve) => setTimeout(resolve, 200));
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(15);
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
    const writer = await opened({ path });
    await commitAll(writer, setting("k", 1));
    const read = () => {
      const entries = reader.read(ROOT, ["k"]);
      return entries instanceof Promise ? undefined : entries[0]?.payload;
    };
    await turn();
    expect([read(), read()]).toEqual(["1", "1"]);
    void writer.commit(ROOT, [setting("k", 2)]);
    expect(read()).toBe("1");
    await turn();
    expect([read(), read()]).toEqual(["2", "2"]);
    void writer.commit(ROOT, [setting("k", 3)]);
    void reader.commit(ROOT, [setting("other", 1)]);
    expect([read(), read()]).toEqual(["3", "3"]);
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
