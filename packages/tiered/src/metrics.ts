/** What a tiered adapter has done since it was created, and what is still to be flushed. */
export interface TieredMetrics {
  /** Keys that were read from the near tier. */
  readonly hits: number;
  /** Keys that were read from the far tier, absent ones included. */
  readonly misses: number;
  /** Changes that were acknowledged and are not yet in the far tier. Always 0 with `write: "through"`. */
  readonly pending: number;
  /** How long the oldest of them has been waiting, in milliseconds; 0 if none is. */
  readonly lag: number;
}

/** Updated where keys are read. */
export class Counters {
  hits = 0;
  misses = 0;
}
