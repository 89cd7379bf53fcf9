import { createHistogram, type Histogram, monitorEventLoopDelay } from "node:perf_hooks";
import { type Adapter, createStore } from "@kv/core";
import { memory } from "@kv/memory";
import { describe, expect, it } from "vitest";
import { persistentAdapter } from "../../workers/faults/persistent-adapter.ts";
import { scratchDirectory } from "../processes/child.ts";

const EXPIRING = process.env["KV_TEST_FULL"] === "1" ? 1_000_000 : 100_000;
const BATCH = 10_000;
/** One entry that lives among so many that expire. */
const LIVING = 100;
const HOUR = 3_600_000;

type Open = (directory: string, clock: () => number) => Adapter | Promise<Adapter>;
const ADAPTERS: readonly (readonly [name: string, open: Open])[] = [
  ["memory", (_, clock) => memory({ clock })],
  ["sqlite", (directory, clock) => persistentAdapter("sqlite", directory, { clock })],
  ["leveldb", (directory, clock) => persistentAdapter("leveldb", directory, { clock })],
];

interface Watched<T> {
  readonly result: T;
  readonly seconds: number;
  readonly delays: string;
}

/**
 * Does the work, and tells how late the event loop's turns were meanwhile. On a busy machine that is mostly other
 * processes' doing; hence also how much of the processor this thread itself took between two ticks of a timer.
 */
async function watched<T>(work: () => Promise<T>): Promise<Watched<T>> {
  const late = monitorEventLoopDelay({ resolution: 1 });
  const busy = createHistogram();
  let before = process.threadCpuUsage();
  const timer = setInterval(() => {
    const { user, system } = process.threadCpuUsage(before);
    busy.record(Math.max(1, Math.round(user + system)));
    before = process.threadCpuUsage();
  }, 1);
  late.enable();
  const since = performance.now();
  const result = await work();
  const seconds = (performance.now() - since) / 1000;
  late.disable();
  clearInterval(timer);
  return {
    result,
    seconds,
    // The timer's own millisecond is part of every delay.
    delays: `${figures("late by", late, 1e6, 1)}; ${figures("busy for", busy, 1e3, 0)}`,
  };
}

function figures(what: string, histogram: Histogram, unit: number, less: number): string {
  const ms = (value: number): string => Math.max(0, value / unit - less).toFixed(1);
  const [p50, p99] = [50, 99].map((percentile) => ms(histogram.percentile(percentile)));
  return `${what} p50 ${p50} ms, p99 ${p99} ms, max ${ms(histogram.max)} ms`;
}

describe("a sweep reclaims every expired entry and none that lives", () => {
  for (const [name, open] of ADAPTERS) {
    it(`${name}, ${EXPIRING.toLocaleString("en")} of them`, async ({ onTestFinished }) => {
      let now = 1_790_000_000_000;
      const directory = scratchDirectory(onTestFinished);
      await using store = createStore(await open(directory, () => now), {
        sweepInterval: null,
        timeout: null,
      });
      for (let from = 0; from < EXPIRING; from += BATCH) {
        await store.setMany(
          Array.from({ length: BATCH }, (_, i) => [`session:${(from + i) * 7919}`, { user: from + i }]),
          { ttl: { minutes: 1 + ((from / BATCH) % 50) } },
        );
        await store.setMany(
          Array.from({ length: BATCH / LIVING }, (_, i) => [
            `session:${(from + i * LIVING) * 7919}:living`,
            i,
            i % 2 === 0 ? { ttl: "2h" } : {},
          ]),
        );
      }
      const living = EXPIRING / LIVING;
      now += HOUR;
      const { result, seconds, delays } = await watched(() => store.sweep());
      expect(result, "removed").toBe(EXPIRING);
      expect(await store.count(), "left").toBe(living);
      expect(await store.sweep(), "left for the next sweep").toBe(0);
      now -= HOUR;
      expect(await store.count(), "expired ones that are still stored").toBe(living);
      const rate = Math.round(EXPIRING / seconds).toLocaleString("en");
      console.log(
        `${name}: ${EXPIRING.toLocaleString("en")} expired entries reclaimed in ${seconds.toFixed(1)} s (${rate}/s); event loop ${delays}`,
      );
    }, 300_000);
  }
});
