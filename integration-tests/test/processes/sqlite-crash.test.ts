import { join } from "node:path";
import { createStore } from "@kv/core";
import { sqlite } from "@kv/sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { scratchDirectory, startChild } from "./child.ts";

const ROUNDS = process.env["KV_TEST_FULL"] === "1" ? 200 : 16;
const SINGLES = Array.from({ length: 20 }, (_, i) => `s${i}`);
const TOGETHER = Array.from({ length: 5 }, (_, i) => `m${i}`);

interface Killed {
  readonly acknowledged: number;
  /** The burst it was killed in. */
  readonly burst: number;
}

/** Lets a writer write for a moment, kills it, and holds what it was told against what is there. */
async function round(path: string, durability: string, first: number): Promise<Killed> {
  const writer = startChild("burst", path, durability, String(first));
  await writer.line((line) => line.startsWith("m "));
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 25));
  writer.process.kill("SIGKILL");
  expect((await writer.ended).signal).toBe("SIGKILL");
  const journal = writer.lines().map((line) => line.split(" ") as [what: string, burst: string]);
  const last = new Map(journal.map(([what, burst]) => [what, Number(burst)]));
  const burst = last.get("begin") ?? 0;
  await using store = createStore(sqlite({ path }));
  for (const key of SINGLES) {
    const value = await store.get(key, 0);
    expect(value, `${key}, acknowledged in burst ${last.get(key)}`).toBeGreaterThanOrEqual(
      last.get(key) ?? 0,
    );
    expect(value).toBeLessThanOrEqual(burst);
  }
  const together = new Set(await store.getMany(TOGETHER));
  expect(together.size, `one commit's keys: ${[...together].join()}`).toBe(1);
  const [value] = together;
  expect(value).toBeGreaterThanOrEqual(last.get("m") ?? 0);
  return { acknowledged: journal.filter(([what]) => what !== "begin").length, burst };
}

describe("kill -9", () => {
  for (const durability of ["fast", "full"]) {
    it(`in the middle of SQLite bursts (${durability}) loses nothing acknowledged and halves no commit`, async () => {
      const path = join(scratchDirectory(onTestFinished), "crash.db");
      let acknowledged = 0;
      let burst = 0;
      const rounds = ROUNDS / 2;
      for (let i = 0; i < rounds; i++) {
        const killed = await round(path, durability, burst + 1);
        acknowledged += killed.acknowledged;
        burst = killed.burst;
      }
      console.log(
        `sqlite ${durability}: ${rounds} kills, ${acknowledged} acknowledged writes, 0 lost, 0 half commits`,
      );
    }, 240_000);
  }
});
