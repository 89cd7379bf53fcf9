import { monotonicNow } from "@kv/core";
import type { Contents } from "../contents.ts";

/** The duration of a slice: too short to be noticed. */
const SLICE_MS = 2;
/** The number of entries removed between two looks at the clock. */
const STRIDE = 32;

/** Removes due entries for about two milliseconds, and returns how many. `deadlines.first(now)` shows whether any are left. */
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
