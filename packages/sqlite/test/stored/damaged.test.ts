import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { createStore, KvError } from "@kv/core";
import Sqlite from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { sqlite } from "../../src/index.ts";
import { scratchPath } from "../scratch.ts";

test("a read that finds the file damaged is refused, and the turn's end after it takes nobody along", async () => {
  const path = await scratchPath();
  const keys = Array.from({ length: 2_000 }, (_, i) => `key-${i}`);
  const whole = createStore(sqlite({ path }));
  await whole.setMany(keys.map((key) => [key, "x".repeat(100)]));
  await whole.close();
  // Within the last page: a file that lacks a whole one is found out as it is opened.
  truncateSync(path, statSync(path).size - 3_000);
  const thrown: unknown[] = [];
  const note = (error: unknown): void => void thrown.push(error);
  process.on("uncaughtException", note);
  onTestFinished(() => void process.off("uncaughtException", note));
  const store = createStore(sqlite({ path }));
  onTestFinished(() => store.close());
  // Several in a turn share a snapshot.
  const refused: PromiseRejectedResult[] = [];
  for (let from = 0; from < keys.length; from += 5) {
    const answers = await Promise.allSettled(keys.slice(from, from + 5).map((key) => store.get(key)));
    refused.push(...answers.filter((answer) => answer.status === "rejected"));
    await new Promise((resolve) => setTimeout(resolve));
  }
  expect(refused.length).toBeGreaterThan(0);
  for (const { reason } of refused) expect(KvError.is(reason, "KV_CORRUPT"), String(reason)).toBe(true);
  expect(thrown).toEqual([]);
});

describe("a row that was altered behind the store's back", () => {
  async function altered(sql: string) {
    const path = await scratchPath();
    const store = createStore(sqlite({ path }), { onCorrupt: "throw" });
    onTestFinished(() => store.close());
    await store.set("counter", 41, { ttl: "1h", metadata: { of: "visits" } });
    await store.set("other", "x".repeat(2_000));
    await store.set("bytes", new Uint8Array([1, 2, 3]));
    const db = new Sqlite(path);
    db.exec(sql);
    db.close();
    return store;
  }
  const corrupt = { code: "KV_CORRUPT", message: expect.stringContaining("altered") };

  test.each([
    ["its value", "value = '42'", "counter"],
    ["its long value", "value = replace(value, 'xx', 'xy')", "other"],
    ["its bytes", "value = x'010203ff'", "bytes"],
    ["its value's type", "value = CAST(value AS BLOB)", "counter"],
    ["its encoding", "encoding = 'structured'", "other"],
    ["its deadline", "expires_at = expires_at + 1000", "counter"],
    ["its deadline, so that it would have passed", "expires_at = 1", "counter"],
    ["its absent deadline", "expires_at = 0", "other"],
    ["its row, taken from another key", "checksum = (SELECT checksum FROM kv WHERE key = 'bytes')", "other"],
  ])("%s: reads, increments and scans are KV_CORRUPT", async (_, change, key) => {
    const store = await altered(`UPDATE kv SET ${change} WHERE key = '${key}'`);
    await expect(store.get(key)).rejects.toMatchObject({ ...corrupt, key });
    await expect(store.getMany(["bytes", key, "x"])).rejects.toMatchObject(corrupt);
    await expect(store.getEntry(key)).rejects.toMatchObject(corrupt);
    await expect(store.increment(key)).rejects.toMatchObject(corrupt);
    await expect(store.range("")).rejects.toMatchObject(corrupt);
    await store.set(key, 1);
    expect(await store.getEntry(key)).toMatchObject({ value: 1 });
  });

  test.each([
    ["revision", "revision + 1"],
    ["created_at", "created_at - 1"],
    ["updated_at", "updated_at + 1"],
    ["evictable", "1"],
    ["user_metadata", `'{"of":"visitors"}'`],
    ["user_metadata", "0"],
  ])("%s: the metadata is KV_CORRUPT, the value is not", async (column, value) => {
    const store = await altered(`UPDATE kv SET ${column} = ${value} WHERE key = 'counter'`);
    await expect(store.getMetadata("counter")).rejects.toMatchObject(corrupt);
    expect(await store.get("counter")).toBe(41);
  });

  test("what the store itself changes in a row keeps its checksums right", async () => {
    const store = await altered("SELECT 1");
    const expectReadable = async () =>
      expect(await store.getEntry("counter")).toMatchObject({ value: expect.any(Number) });
    for (const step of [
      () => store.increment("counter"),
      () => store.updateTtl("counter", "2h"),
      () => store.updatePolicy("counter", "evict"),
      () => store.set("counter", 1, { keepTtl: true, metadata: { by: "hand" } }),
      () => store.increment("counter", 5),
      () => store.updateTtl("counter", null),
      () => store.updateTtl("counter", "1m"),
      () => store.updatePolicy("counter", "persist"),
      () => store.set("counter", 2, { policy: "evict", ttl: 5 }),
      () => store.set("counter", 3),
    ]) {
      await step();
      await expectReadable();
      expect(await store.get("counter")).toEqual(expect.any(Number));
    }
  });
});

test("nothing is acknowledged any more once a write has found the file damaged", async () => {
  const path = await scratchPath();
  const keys = Array.from({ length: 2_000 }, (_, i) => `key-${i}`);
  const whole = createStore(sqlite({ path }));
  await whole.setMany(keys.map((key) => [key, "x".repeat(400)]));
  await whole.close();
  const store = createStore(sqlite({ path }));
  onTestFinished(() => store.close().catch(() => undefined));
  await store.set("key-0", "before");
  // The later half of the pages; those of the first keys stay sound.
  const file = readFileSync(path);
  file.fill(0xff, file.length >> 1);
  writeFileSync(path, file);
  await store.set("key-0", "still sound");
  const outcome = (key: string) =>
    store.set(key, "after").then(
      () => "ok",
      (error: KvError) => error.code,
    );
  let found = "ok";
  for (let i = keys.length - 1; i > 0 && found === "ok"; i--) found = await outcome(`key-${i}`);
  expect(found).toBe("KV_CORRUPT");
  expect(await outcome("key-0")).toBe("KV_CORRUPT");
  await expect(store.set("key-0", 1)).rejects.toThrow(/damaged; close the store, and restore/);
});
