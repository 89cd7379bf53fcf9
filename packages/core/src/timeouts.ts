import { monotonicNow, nextTurn, type Timer, timer } from "./platform.ts";

interface Waiting {
  due: number;
  readonly expire: () => void;
}

/** How often the timer fires within one timeout, to notice that the event loop was blocked. */
const TICKS = 4;
/** Milliseconds by which a timer may be late on a busy machine. One that is later shows a blocked event loop. */
const BLOCKED_MS = 50;

/**
 * Gives up what takes longer than one fixed time. As that is the same for all, those that wait are in the order of
 * their deadlines, and one timer serves them: a timer made and cleared for every answer costs more than a read.
 *
 * Only time in which this process could have taken the answer counts. While its event loop is blocked it takes none, and
 * an answer of several steps (a file is opened, read and closed) cannot even go on; so the time of a block is added to
 * every deadline.
 */
export class Timeouts {
  readonly ms: number;
  readonly #tick: number;
  /** Made anew when it is empty: a Set's tables name each other, see `ProgramOrder`. */
  #waiting = new Set<Waiting>();
  #timer: Timer | undefined;
  /** When the timer should fire, by `monotonicNow()`. */
  #timerDue = 0;

  constructor(ms: number) {
    this.ms = ms;
    this.#tick = Math.max(1, Math.ceil(ms / TICKS));
  }

  /** The promise, or a rejection by what `failure` makes. */
  guard<T>(promise: Promise<T>, failure: () => Error): Promise<T> {
    if (this.ms === Number.POSITIVE_INFINITY) return promise;
    return new Promise<T>((resolve, reject) => {
      const waiting: Waiting = { due: monotonicNow() + this.ms, expire: () => reject(failure()) };
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
    if (this.#timer === undefined) this.#start(this.#tick);
    else if (this.#waiting.size === 1) this.#timer.hold(true);
  }

  #start(ms: number): void {
    this.#timerDue = monotonicNow() + ms;
    this.#timer = timer(() => this.#expire(), ms);
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
    const now = monotonicNow();
    const blocked = now - this.#timerDue;
    // The order of the deadlines stays, since no call gets more time than one that begins now.
    if (blocked > Math.min(BLOCKED_MS, this.ms))
      for (const waiting of this.#waiting) waiting.due = Math.min(waiting.due + blocked, now + this.ms);
    for (const waiting of this.#waiting) {
      if (waiting.due > now) {
        this.#start(Math.min(this.#tick, Math.max(1, waiting.due - now)));
        return;
      }
      this.#waiting.delete(waiting);
      // The answer may have arrived in this turn, in which timers go before input.
      nextTurn(waiting.expire);
    }
  }
}
