import { setTimeout as sleep } from "node:timers/promises";
import type { Setup } from "./harness.ts";

/** Time as a case sees it: where the adapter's clock can be set it passes at once, else as long as it takes. */
export interface Time {
  /** A span in seconds that is long against any operation and short enough to wait for. */
  readonly short: number;
  /** Resolves when so many seconds have gone by on the adapter's clock. */
  pass(seconds: number): Promise<void>;
}

export function timeOf({ clock }: Setup): Time {
  if (clock === undefined) {
    // Beyond the deadline by a little: clocks of servers round.
    return { short: 0.3, pass: (seconds) => sleep(seconds * 1000 + 30) };
  }
  return {
    short: 60,
    async pass(seconds) {
      clock.advance(seconds * 1000);
    },
  };
}
