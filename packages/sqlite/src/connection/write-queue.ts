import { delay, type MaybePromise, monotonicNow, turn } from "@kv/core";
import { isBusy, isDamaged, lockHeld, openFault } from "../errors.ts";

/** Returned by a step that wants to be called again, after a turn of the event loop. */
export const MORE: unique symbol = Symbol("more");

/** Milliseconds that a slice of background work may take: the event loop and other writers wait so long at most. */
export const SLICE_MS = 3;
/** Milliseconds of synchronous work after which the event loop gets a turn. */
const TURN_MS = 4;
const LONGEST_PAUSE_MS = 20;

interface Job {
  readonly step: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  waitingSince: number;
}

/**
 * Everything that needs the database's write lock, first come, first served. A step runs at once if nothing waits before
 * it. While another connection holds the lock, this one tries again after pauses that leave the event loop alive (SQLite's
 * own busy handler would block it), and later steps wait behind.
 */
export class WriteQueue {
  readonly #before: () => void;
  readonly #after: () => void;
  readonly #explained: (error: unknown) => unknown;
  readonly #path: string;
  readonly #timeout: number;
  readonly #jobs: Job[] = [];
  #idle: (() => void) | undefined;
  /** The reason why nothing is written any more. */
  #damage: unknown;

  /**
   * `before` runs before every attempt and may throw that the database is busy; `after` runs after every success, before
   * it is acknowledged; `explained` returns the error to reject with.
   */
  constructor(
    hooks: {
      readonly before: () => void;
      readonly after: () => void;
      readonly explained: (error: unknown) => unknown;
    },
    path: string,
    timeout: number,
  ) {
    this.#before = hooks.before;
    this.#after = hooks.after;
    this.#explained = hooks.explained;
    this.#path = path;
    this.#timeout = timeout;
  }

  /** A step that throws must have undone its work. @throws Refusal `KV_UNAVAILABLE` after the timeout */
  run<T>(step: () => T | typeof MORE): MaybePromise<T> {
    if (this.#jobs.length === 0) {
      try {
        const result = this.#attempt(step);
        if (result !== MORE) return result;
      } catch (error) {
        if (!isBusy(error)) throw this.#explained(error);
      }
    }
    return new Promise<T>((resolve, reject) => {
      const job: Job = { step, resolve: resolve as Job["resolve"], reject, waitingSince: monotonicNow() };
      if (this.#jobs.push(job) === 1) void this.#work();
    });
  }

  /** Reads with the same patience, but without a place in the queue: in WAL mode readers hardly ever wait. */
  read<T>(work: () => T): MaybePromise<T> {
    return patiently(work, this.#path, this.#timeout);
  }

  /** Resolves once the queue is empty. */
  idle(): MaybePromise<void> {
    if (this.#jobs.length === 0) return;
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  /**
   * SQLite goes on writing into a database that it has found damaged, as long as it meets only sound pages: writes that
   * may be unreadable later, or a file that another state was copied over. So the first such finding is the last write.
   */
  #attempt<T>(step: () => T): T {
    if (this.#damage !== undefined) throw this.#damage;
    try {
      this.#before();
      const result = step();
      this.#after();
      return result;
    } catch (error) {
      if (isDamaged(error)) this.#damage = openFault(error, this.#path, false);
      throw error;
    }
  }

  async #work(): Promise<void> {
    await pause(0);
    let lastTurn = monotonicNow();
    let attempts = 0;
    for (let job = this.#jobs[0]; job !== undefined; job = this.#jobs[0]) {
      try {
        const result = this.#attempt(job.step);
        attempts = 0;
        if (result === MORE) job.waitingSince = Number.POSITIVE_INFINITY;
        else {
          this.#jobs.shift();
          job.resolve(result);
        }
      } catch (error) {
        const now = monotonicNow();
        if (job.waitingSince === Number.POSITIVE_INFINITY) job.waitingSince = now;
        const waited = now - job.waitingSince;
        if (isBusy(error) && waited < this.#timeout) {
          await pause(pauseBefore(attempts++));
          lastTurn = monotonicNow();
          continue;
        }
        this.#jobs.shift();
        job.reject(isBusy(error) ? lockHeld(error, this.#path, waited) : this.#explained(error));
      }
      if (monotonicNow() - lastTurn > TURN_MS) {
        await pause(0);
        lastTurn = monotonicNow();
      }
    }
    this.#idle?.();
  }
}

/** Does work that may find the database locked, and retries it as the queue does. */
export function patiently<T>(work: () => T, path: string, timeout: number): MaybePromise<T> {
  try {
    return work();
  } catch (error) {
    if (!isBusy(error)) throw error;
    return again(work, path, timeout);
  }
}

async function again<T>(work: () => T, path: string, timeout: number): Promise<T> {
  const since = monotonicNow();
  for (let attempts = 0; ; attempts++) {
    await pause(pauseBefore(attempts));
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) throw error;
      const waited = monotonicNow() - since;
      if (waited >= timeout) throw lockHeld(error, path, waited);
    }
  }
}

/** Random, so that two connections that wait for each other's lock do not keep colliding. */
function pauseBefore(attempt: number): number {
  return 0.5 + Math.random() * Math.min(LONGEST_PAUSE_MS, 2 ** attempt);
}

/** The timer keeps the process alive: the waiting work was accepted, and must not be dropped in silence. */
export function pause(ms: number): Promise<void> {
  return ms === 0 ? turn() : delay(ms);
}
