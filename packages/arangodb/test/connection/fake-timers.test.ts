import { setTimeout as sleep } from "node:timers/promises";
import { startEmulator } from "@kv/arangodb-emulator";
import { createStore } from "@kv/core";
import { expect, onTestFinished, test, vi } from "vitest";
import { arangodb } from "../../src/index.ts";

test("under a test's fake timers everything goes on, and deadlines are the server's", async () => {
  const emulator = await startEmulator({ clock: () => performance.timeOrigin + performance.now() });
  onTestFinished(() => emulator.close());
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const store = createStore(arangodb({ url: emulator.url, poolSize: 2, watchInterval: 10 }));
  const seen: string[] = [];
  await store.subscribe(({ key = "" }) => void seen.push(key));
  await Promise.all(
    Array.from({ length: 40 }, (_, i) => store.namespace(`n${i}`).set("k", i, { ttl: "1h" })),
  );
  await Promise.all(Array.from({ length: 40 }, () => store.increment("n")));
  vi.setSystemTime(Date.now() + 7_200_000);
  expect(await store.namespace("n7").get("k")).toBe(7);
  expect(await store.keys()[Symbol.asyncIterator]().next()).toMatchObject({ value: "n" });
  // In real time: vitest would wait by advancing the clocks, including those of fetch.
  while (!seen.includes("n")) await sleep(10);
  await store.sweep();
  await store.close();
});
