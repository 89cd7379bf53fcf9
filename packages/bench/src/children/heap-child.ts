// Bytes of heap per entry of 104 B. A process of its own: nothing else allocates, and `gc()` finds all of it.

import { contenderOf } from "../groups.ts";
import type { Pair } from "../workload/contender.ts";
import { smallValue } from "../workload/data.ts";
import { answer } from "./child-program.ts";

const ENTRIES = 100_000;
const BATCH = 1000;

const [group = "", name = "", folder = ""] = process.argv.slice(2);
const subject = await contenderOf(group, name).open(folder);
// The first entries bring what there is only once: compiled code, tables, the first blocks.
await fill("warm:", BATCH);
const before = heapUsed();
await fill("entry:", ENTRIES);
const bytes = (heapUsed() - before) / ENTRIES;
await subject.get("entry:000000");
answer({ bytes });

/** With keys and values of their own, which the store may keep or leave to the collector. */
async function fill(prefix: string, count: number): Promise<void> {
  for (let first = 0; first < count; first += BATCH) {
    const pairs = Array.from({ length: BATCH }, (_, index): Pair => {
      const number = first + index;
      return [JSON.parse(`"${prefix}${String(number).padStart(6, "0")}"`), smallValue(number)];
    });
    await subject.setMany(pairs);
  }
}

function heapUsed(): number {
  for (let round = 0; round < 4; round++) globalThis.gc?.();
  const { heapUsed: heap, external } = process.memoryUsage();
  return heap + external;
}
