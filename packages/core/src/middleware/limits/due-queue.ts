import type { Tracked } from "./recency.ts";

interface Deadline {
  readonly at: number;
  readonly of: Tracked;
}

/** Below this length the queue is not worth tidying. */
const SHORT = 64;

/**
 * The entries by deadline, as a binary heap. A deadline that was changed stays in it and is skipped, until such
 * deadlines are more than half of it.
 */
export class DueQueue {
  #heap: Deadline[] = [];
  readonly #isTracked: (tracked: Tracked) => boolean;

  constructor(isTracked: (tracked: Tracked) => boolean) {
    this.#isTracked = isTracked;
  }

  /** Adds the entry with its present deadline. `tracked`: how many entries there are. */
  add(of: Tracked, tracked: number): void {
    if (of.expiresAt === undefined) return;
    if (this.#heap.length > SHORT + 2 * tracked) this.#tidy();
    this.#push({ at: of.expiresAt, of });
  }

  /** Removes and returns an entry that is due; `undefined` if none is. */
  take(now: number): Tracked | undefined {
    for (let first = this.#heap[0]; first !== undefined && first.at <= now; first = this.#heap[0]) {
      this.#pop();
      if (this.#isCurrent(first)) return first.of;
    }
    return undefined;
  }

  #isCurrent({ at, of }: Deadline): boolean {
    return of.expiresAt === at && this.#isTracked(of);
  }

  #tidy(): void {
    const current = this.#heap.filter((deadline) => this.#isCurrent(deadline));
    // A sorted array is a heap.
    this.#heap = current.sort((a, b) => a.at - b.at);
  }

  #push(deadline: Deadline): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(deadline);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above]!;
      if (parent.at <= deadline.at) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = deadline;
  }

  #pop(): void {
    const heap = this.#heap;
    const moved = heap.pop();
    if (moved === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && heap[below + 1]!.at < heap[below]!.at) below++;
      const child = heap[below]!;
      if (child.at >= moved.at) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = moved;
  }
}
