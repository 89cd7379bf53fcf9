import { join } from "node:path";
import { createStore } from "@kv/core";
import { sqlite } from "@kv/sqlite";
import { expect, it, onTestFinished } from "vitest";
import { scratchDirectory, startChild } from "./child.ts";

const TIMES = 20_000;

it("two processes increment one SQLite counter 20,000 times: the sum is exact, and a watcher in a third sees it", async () => {
  const path = join(scratchDirectory(onTestFinished), "counter.db");
  const watcher = startChild("watch", path, "counter");
  onTestFinished(() => void watcher.process.kill("SIGKILL"));
  await watcher.line((line) => line === "watching");
  const counting = [
    startChild("increment", path, String(TIMES / 2)),
    startChild("increment", path, String(TIMES / 2)),
  ];
  for (const child of counting) {
    expect(await child.ended).toEqual({ code: 0, signal: null });
    // No error reached a caller, SQLITE_BUSY least of all.
    expect(child.lines()).toEqual([JSON.stringify({ errors: {} })]);
  }
  await watcher.line((line) => line === String(TIMES));
  watcher.process.stdin.end();
  expect(await watcher.ended).toEqual({ code: 0, signal: null });
  await using store = createStore(sqlite({ path }));
  expect(await store.get("counter")).toBe(TIMES);
  const seen = watcher.lines().slice(1).map(Number);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  console.log(
    `two processes counted to ${TIMES}; the watcher saw ${seen.length} of the values, the last one ${seen.at(-1)}`,
  );
}, 120_000);
