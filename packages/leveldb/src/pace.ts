/** Milliseconds that a slice of background work may take: the event loop, and other writers, wait so long at most. */
const GOAL_MS = 2;

/** How much to do at a time, found out by doing it. */
export class Pace {
  readonly #least: number;
  readonly #most: number;
  size: number;

  constructor(start: number, least: number, most: number) {
    this.size = start;
    this.#least = least;
    this.#most = most;
  }

  measure<T>(slice: () => T): T {
    const since = performance.now();
    const result = slice();
    const took = performance.now() - since;
    if (took > GOAL_MS) this.size = Math.max(this.#least, Math.floor(this.size / 2));
    else if (took < GOAL_MS / 3) this.size = Math.min(this.#most, this.size * 2);
    return result;
  }
}
