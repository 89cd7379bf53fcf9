// How late the event loop is while a store is kept busy. A process of its own: what other contenders leave to be freed
// is freed in the event loop, too.

import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { contenderOf } from "../groups.ts";
import type { Part } from "../report/result.ts";
import { cells } from "../workload/cells.ts";
import { SMALL } from "../workload/data.ts";
import { answer } from "./child-program.ts";

/** The histogram's own timer: what it records contains this much waiting. */
const RESOLUTION_MS = 1;

/** One caller, many callers, a thousand calls at once, and calls for a thousand. */
const LOADS = ["get", "set", "mix50", "get64", "set64", "burstGet", "burstSet", "getMany", "setMany"];

const [group = "", name = "", folder = "", loadMs = "1000"] = process.argv.slice(2);
const subject = await contenderOf(group, name).open(folder);
await subject.setMany(SMALL.keys.map((key, index) => [key, SMALL.values[index % SMALL.values.length]!]));
const delays: Part[] = [];
for (const cell of cells.filter((candidate) => LOADS.includes(candidate.name))) {
  const stepsAtOnce = cell.perStep === 1 ? 2000 : 2;
  await cell.run(subject, 0, stepsAtOnce * 10);
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  // The first tick of the histogram's timer only starts its clock (and after a reset the next one again).
  await setTimeout(3);
  const until = performance.now() + Number(loadMs);
  for (let step = 0; performance.now() < until; step += stepsAtOnce) {
    await cell.run(subject, step, step + stepsAtOnce);
  }
  // A load that never let the loop turn shows only in the turn after it.
  await setTimeout(5);
  histogram.disable();
  delays.push({ title: cell.title, value: late(histogram.percentile(99)), max: late(histogram.max) });
}
await subject.close();
answer(delays);

/** In milliseconds, with a tenth of them. */
function late(nanoseconds: number): number {
  return Math.max(0, Math.round(nanoseconds / 1e5 - RESOLUTION_MS * 10) / 10);
}
