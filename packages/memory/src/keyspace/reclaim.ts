import { monotonicNow } from "@kv/core";
import type { Contents } from "../contents.ts";

/** How long a slice may take: short enough that nobody notices. */
const SLICE_MS = 2;
/** How many entries go between two looks at the watch. */
const STRIDE = 32;

/** Removes entries that are due, for about two milliseconds. → how many it removed; `deadlines.first(now)` tells whether some are left. */
export function reclaimSlice(contents: Contents, now: number): number {
  if (contents.deadlines.first(now) === undefined) return 0;
  const end = monotonicNow() + SLICE_MS;
  let removed = 0;
  do {
    for (let i = 0; i < STRIDE; i++) {
      const done = contents.reclaimOne(now);
      if (done === "none") return removed;
      if (done === "removed") removed += 1;
    }
  } while (monotonicNow() < end);
  return removed;
}
