import { monotonicNow } from "./platform.ts";

/**
 * How much background work to do at a time, found out by doing it: for adapters whose sweeps and clears must leave the
 * event loop, and other writers, alive.
 */
export class SliceSize {
  readonly #goalMs: number;
  readonly #least: number;
  readonly #most: number;
  /** How much the next slice is to do. */
  current: number;

  /** A slice should take no more than `goalMs` milliseconds. */
  constructor(goalMs: number, start: number, least: number, most: number) {
    this.#goalMs = goalMs;
    this.current = start;
    this.#least = least;
    this.#most = most;
  }

  /** Does a slice, and learns from how long that took. */
  measure<T>(slice: () => T): T {
    const since = monotonicNow();
    const result = slice();
    const took = monotonicNow() - since;
    if (took > this.#goalMs) this.current = Math.max(this.#least, Math.floor(this.current / 2));
    else if (took < this.#goalMs / 3) this.current = Math.min(this.#most, this.current * 2);
    return result;
  }
}
