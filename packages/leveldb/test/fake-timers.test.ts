import { createStore } from "@kv/core";
import { afterEach, expect, test, vi } from "vitest";
import { backup, leveldb } from "../src/index.ts";
import { scratchPath } from "./scratch.ts";

afterEach(() => {
  vi.useRealTimers();
});

test("with a test runner's fake timers nothing hangs, and the clock is the fake one", async () => {
  const path = await scratchPath();
  const store = createStore(leveldb({ path }));
  await store.set("before", 1);
  vi.useFakeTimers();
  await store.setMany(Array.from({ length: 1500 }, (_, i) => [`k${i}`, i]));
  await store.set("short", 1, { ttl: "1h" });
  let seen = 0;
  for await (const _ of store.entries()) seen++;
  expect(seen).toBe(1502);
  vi.setSystemTime(Date.now() + 3_600_001);
  expect(await store.get("short")).toBeUndefined();
  expect(await store.count()).toBe(1501);
  expect(await store.sweep()).toBe(1);
  expect(await backup(store, `${path}-copy`)).toMatchObject({ entries: 1501 });
  expect(await store.clear()).toBe(1501);
  await store.close();
});
