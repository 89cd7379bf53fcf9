import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { runChild } from "../children/child-program.ts";
import type { Group } from "../groups.ts";
import type { Figure, Part } from "../report/result.ts";
import { median } from "../report/statistics.ts";
import type { Contender } from "../workload/contender.ts";

const delayChild = new URL("../children/delay-child.js", import.meta.url);
const heapChild = new URL("../children/heap-child.js", import.meta.url);
const startChild = new URL("../children/start-child.js", import.meta.url);

/** Bytes of heap per entry, of each contender. */
export async function measureHeap(
  group: Group,
  contenders: readonly Contender[],
  folder: string,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { name } of contenders) {
    const { bytes } = await runChild<{ bytes: number }>(heapChild, [group.name, name, folder]);
    figures.push({ name: "heap", contender: name, value: Math.round(bytes) });
  }
  return figures;
}

/** Milliseconds of import, open and first get, of each contender; they take turns here, too. */
export async function measureStart(
  group: Group,
  contenders: readonly Contender[],
  folder: string,
  rounds: number,
): Promise<Figure[]> {
  const inner = join(folder, "start");
  mkdirSync(inner);
  const times = new Map(contenders.map(({ name }) => [name, [] as number[]]));
  for (const { name } of contenders) await runChild(startChild, [group.name, name, inner, "prepare"]);
  for (let round = 0; round < rounds; round++) {
    for (const [name, taken] of times) {
      const { ms } = await runChild<{ ms: number }>(startChild, [group.name, name, inner]);
      taken.push(ms);
    }
  }
  return [...times].flatMap(([contender, taken]) => {
    const value = median(taken);
    return value === undefined
      ? []
      : [{ name: "start" as const, contender, value: Math.round(value * 10) / 10 }];
  });
}

/** How late the event loop is, at p99, in the worst of several sustained loads. */
export async function measureLoopDelay(
  group: Group,
  { name }: Contender,
  folder: string,
  loadMs: number,
): Promise<Figure[]> {
  const inner = join(folder, "delay");
  mkdirSync(inner);
  const parts = await runChild<Part[]>(delayChild, [group.name, name, inner, String(loadMs)]);
  const worst = parts.reduce((a, b) => (b.value > a.value ? b : a));
  return [{ name: "loopDelay", contender: name, value: worst.value, detail: `under ${worst.title}`, parts }];
}
