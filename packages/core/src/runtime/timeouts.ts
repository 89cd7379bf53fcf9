import { Refusal } from "../contract/errors.ts";
import { monotonicNow, nextTurn, type Timer, timer } from "./platform.ts";

/** The time that one call has. */
export interface Limit {
  /** When it is over, by `monotonicNow()`. */
  due: number;
  /** What happens then: changes with what the call waits for. */
  expire: () => void;
  expired: boolean;
}

/** How often the timer fires within one timeout, to notice that the event loop was blocked. */
const TICKS = 4;
/** Milliseconds by which a timer may be late on a busy machine. One that is later shows a blocked event loop. */
const BLOCKED_MS = 50;

/** A call with less than this part of its time left, or fewer milliseconds, is not begun any more. */
const SPENT_SHARE = 20;
const SPENT_MS = 250;

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
  #waiting = new Set<Limit>();
  #timer: Timer | undefined;
  /** When the timer should fire, by `monotonicNow()`. */
  #timerDue = 0;

  constructor(ms: number) {
    this.ms = ms;
    this.#tick = Math.max(1, Math.ceil(ms / TICKS));
  }

  /** The time of a call begins. */
  begin(expire: () => void): Limit {
    const limit: Limit = { due: monotonicNow() + this.ms, expire, expired: false };
    if (this.ms !== Number.POSITIVE_INFINITY) this.#add(limit);
    return limit;
  }

  /**
   * Whether a call that has waited is too late to be begun: its caller would be told before an answer could be there, and
   * the outcome of a write would be unknown.
   */
  isSpent(limit: Limit): boolean {
    // A timer that is overdue shows a blocked event loop, whose time does not count.
    const now = this.#timer === undefined ? monotonicNow() : Math.min(monotonicNow(), this.#timerDue);
    return limit.expired || limit.due - now < Math.min(this.ms / SPENT_SHARE, SPENT_MS);
  }

  /** The call has been answered. */
  end(limit: Limit): void {
    this.#remove(limit);
  }

  /** The promise, or a rejection by what `failure` makes: after what is left of a call's time, or the whole of it. */
  guard<T>(promise: Promise<T>, failure: () => Error, begun?: Limit): Promise<T> {
    if (this.ms === Number.POSITIVE_INFINITY) return promise;
    return new Promise<T>((resolve, reject) => {
      const expire = () => reject(failure());
      const waiting = begun === undefined || begun.expired ? this.begin(expire) : begun;
      waiting.expire = expire;
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

  #add(waiting: Limit): void {
    this.#waiting.add(waiting);
    if (this.#timer === undefined) this.#start(this.#tick);
    else if (this.#waiting.size === 1) this.#timer.hold(true);
  }

  #start(ms: number): void {
    this.#timerDue = monotonicNow() + ms;
    this.#timer = timer(() => this.#expire(), ms);
  }

  #remove(waiting: Limit): void {
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
      waiting.expired = true;
      nextTurn(() => waiting.expire());
    }
  }
}

/** Why a call of the backend was given up. */
export function lateness(what: string, ms: number): Refusal {
  return new Refusal("KV_TIMEOUT", `${what} took longer than ${ms} ms`);
}

/** The same of a write: it may have taken effect, or may do so later, and doing it again may do it twice. */
export function lateWrite(what: string, ms: number): Refusal {
  return new Refusal(
    "KV_TIMEOUT",
    `${what} took longer than ${ms} ms, so that nobody knows whether it was done, or will be; read before you repeat it`,
    { retryable: false },
  );
}
