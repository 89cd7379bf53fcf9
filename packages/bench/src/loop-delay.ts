import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { cells } from "./cells.ts";
import type { Contender } from "./contender.ts";
import { SMALL } from "./data.ts";
import type { Figure } from "./result.ts";

/** The histogram's own timer: what it records contains this much waiting. */
const RESOLUTION_MS = 1;

/** What keeps a store busy: one caller, many callers, and a thousand calls at once. */
const LOADS = ["mix50", "get", "get64", "set64", "burstSet", "burstGet"];

/** How late the event loop is, at p99, in the worst of several sustained loads. */
export async function measureLoopDelay(
  contender: Contender,
  folder: string,
  loadMs: number,
): Promise<Figure> {
  const inner = join(folder, "delay");
  mkdirSync(inner);
  const subject = await contender.open(inner);
  await subject.setMany(SMALL.keys.map((key, index) => [key, SMALL.values[index % SMALL.values.length]!]));
  let worst = { value: 0, detail: "" };
  for (const cell of cells.filter(({ name }) => LOADS.includes(name))) {
    const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    const stepsAtOnce = cell.perStep === 1 ? 20_000 : 20;
    await cell.run(subject, 0, stepsAtOnce);
    histogram.enable();
    const until = performance.now() + loadMs;
    for (let step = 0; performance.now() < until; step += stepsAtOnce) {
      await cell.run(subject, step, step + stepsAtOnce);
    }
    // A load that never let the loop turn shows only in the turn after it.
    await setTimeout(5);
    histogram.disable();
    const late = (nanoseconds: number): number =>
      Math.max(0, Math.round(nanoseconds / 1e5) / 10 - RESOLUTION_MS);
    const value = late(histogram.percentile(99));
    if (value >= worst.value)
      worst = { value, detail: `worst load: ${cell.title}; its maximum: ${late(histogram.max)} ms` };
  }
  await subject.close();
  return { name: "loopDelay", contender: contender.name, ...worst };
}
