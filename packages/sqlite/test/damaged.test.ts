import { statSync, truncateSync } from "node:fs";
import { createStore, KvError } from "@kv/core";
import { expect, onTestFinished, test } from "vitest";
import { sqlite } from "../src/index.ts";
import { scratchPath } from "./scratch.ts";

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
