import { MAX_TIMER_MS, nextTurn, type Timer, timer } from "./platform.ts";

interface Waiting {
  readonly due: number;
  readonly expire: () => void;
}

/**
 * Gives up what takes longer than one fixed time. As that is the same for all, those that wait are in the order of
 * their deadlines, and one timer serves them: a timer made and cleared for every answer costs more than a read.
 */
export class Timeouts {
  readonly ms: number;
  /** Made anew when it is empty: a Set's tables name each other, see `ProgramOrder`. */
  #waiting = new Set<Waiting>();
  #timer: Timer | undefined;

  constructor(ms: number) {
    this.ms = ms;
  }

  /** The promise, or a rejection by what `failure` makes. */
  guard<T>(promise: Promise<T>, failure: () => Error): Promise<T> {
    if (this.ms > MAX_TIMER_MS) return promise;
    return new Promise<T>((resolve, reject) => {
      const waiting: Waiting = { due: performance.now() + this.ms, expire: () => reject(failure()) };
      this.#add(waiting);
      promise.then(
        (value) => {
          this.#remove(waiting);
          resolve(value);
        },
        (error: unknown) => {
          this.#remove(waiting);
          reject(error);
        },
      );
    });
  }

  #add(waiting: Waiting): void {
    this.#waiting.add(waiting);
    if (this.#timer === undefined) this.#timer = timer(() => this.#expire(), this.ms);
    else if (this.#waiting.size === 1) this.#timer.hold(true);
  }

  #remove(waiting: Waiting): void {
    if (this.#waiting.size > 1 || !this.#waiting.has(waiting)) {
      this.#waiting.delete(waiting);
      return;
    }
    this.#waiting = new Set();
    // With nothing to wait for the timer may run on, but it keeps no process alive.
    this.#timer?.hold(false);
  }

  #expire(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const waiting of this.#waiting) {
      if (waiting.due > now) {
        this.#timer = timer(() => this.#expire(), Math.max(1, waiting.due - now));
        return;
      }
      this.#waiting.delete(waiting);
      // After a blocked event loop the timer fires before the answer that already arrived is read.
      nextTurn(waiting.expire);
    }
  }
}
