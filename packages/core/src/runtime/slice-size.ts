import { monotonicNow } from "./platform.ts";

/**
 * How much background work to do at a time, learned from how long it takes: for adapters whose sweeps and clears must
 * not block the event loop or other writers.
 */
export class SliceSize {
  readonly #goalMs: number;
  readonly #least: number;
  readonly #most: number;
  /** How much the next slice should do. */
  current: number;

  /** A slice should take no more than `goalMs` milliseconds. */
  constructor(goalMs: number, start: number, least: number, most: number) {
    this.#goalMs = goalMs;
    this.current = start;
    this.#least = least;
    this.#most = most;
  }

  /** Runs a slice and learns from its duration. */
  measure<T>(slice: () => T): T {
    const since = monotonicNow();
    const result = slice();
    const took = monotonicNow() - since;
    if (took > this.#goalMs) this.current = Math.max(this.#least, Math.floor(this.current / 2));
    else if (took < this.#goalMs / 3) this.current = Math.min(this.#most, this.current * 2);
    return result;
  }
}
