import { setTimeout as sleep } from "node:timers/promises";
import type { Setup } from "./harness.ts";

/** Time as a case sees it: it passes at once if the adapter's clock can be set, else in real time. */
export interface Time {
  /** A span in seconds that is long compared to any operation, and short enough to wait for. */
  readonly short: number;
  /** Resolves when this many seconds have passed on the adapter's clock. */
  pass(seconds: number): Promise<void>;
}

export function timeOf({ clock }: Setup): Time {
  if (clock === undefined) {
    // A little beyond the deadline, because clocks of servers round.
    return { short: 0.3, pass: (seconds) => sleep(seconds * 1000 + 30) };
  }
  return {
    short: 60,
    async pass(seconds) {
      clock.advance(seconds * 1000);
    },
  };
}
