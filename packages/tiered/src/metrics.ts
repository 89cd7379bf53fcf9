/** What a tiered adapter has done since it was made, and what it has yet to do. */
export interface TieredMetrics {
  /** Keys that were read and that the near tier had. */
  readonly hits: number;
  /** Keys that were read from the far tier, absent ones included. */
  readonly misses: number;
  /** Changes that were acknowledged and are not yet in the far tier. Always 0 with `write: "through"`. */
  readonly pending: number;
  /** How long the oldest of them has been waiting, in milliseconds; 0 where there is none. */
  readonly lag: number;
}

/** Counted where it happens. */
export class Counters {
  hits = 0;
  misses = 0;
}
