import { Refusal } from "../contract/errors.ts";
import { monotonicNow, nextTurn, type Timer, timer } from "./platform.ts";

/** The time limit of one call. */
export interface Limit {
  /** When it expires, by `monotonicNow()`. */
  due: number;
  /** Called then; replaced when the call begins to wait for something else. */
  expire: () => void;
  expired: boolean;
}

/** How often the timer fires within one timeout, to notice that the event loop was blocked. */
const TICKS = 4;
/** Milliseconds by which a timer may be late on a busy machine. One that is later shows a blocked event loop. */
const BLOCKED_MS = 50;

/** A call with less than this fraction of its time left, or fewer milliseconds, is not begun any more. */
const SPENT_SHARE = 20;
const SPENT_MS = 250;

/**
 * Gives up calls that take longer than one fixed time. As the time is the same for all, they wait in the order of their
 * deadlines, and one timer serves all: a timer made and cleared for every answer costs more than a read.
 *
 * Only time in which this process could have received the answer counts. A blocked event loop receives none, and an
 * answer of several steps (a file is opened, read and closed) cannot even go on; so the time of a block is added to
 * every deadline.
 */
export class Timeouts {
  readonly ms: number;
  readonly #tick: number;
  /** Replaced when it is empty, because a Set's tables are linked: see `ProgramOrder`. */
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
   * Whether a call that has waited has too little time left to be begun: it would be given up before the answer could
   * arrive, and the outcome of a write would be unknown.
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

  /** The promise, or a rejection with the error of `failure`: after what is left of the call's time, or all of it. */
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
    // While no call waits the timer may run on, but does not keep the process alive.
    this.#timer?.hold(false);
  }

  #expire(): void {
    this.#timer = undefined;
    const now = monotonicNow();
    const blocked = now - this.#timerDue;
    // The deadlines stay in order, since no call gets more time than one that begins now.
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

/** The same for a write: it may have taken effect, or may do so later, and a repetition may apply it twice. */
export function lateWrite(what: string, ms: number): Refusal {
  return new Refusal(
    "KV_TIMEOUT",
    `${what} took longer than ${ms} ms, so it may have been applied, or may still be; read before you repeat it`,
    { retryable: false },
  );
}
