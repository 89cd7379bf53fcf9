import { after, type Commit, type MaybePromise, Refusal, rescued } from "@kv/core";
import type { Backlog } from "./backlog.ts";
import type { Flusher } from "./flusher.ts";

export interface PendingLimitParts {
  readonly backlog: Backlog;
  readonly flusher: Flusher;
  /** The most states that may wait for the far tier. */
  readonly maxPending: number;
}

/** Limits the changes that wait for the far tier. Admitted commits count at once, before they are in the backlog. */
export class PendingLimit {
  readonly #parts: PendingLimitParts;
  /** States of commits that were admitted and are not in the backlog yet. */
  #admitted = 0;
  /** Resolves when some of these are in the backlog, or were refused. */
  #left: PromiseWithResolvers<void> | undefined;

  constructor(parts: PendingLimitParts) {
    this.#parts = parts;
  }

  /** Resolves when there may be room; `undefined`: there is room now. Rejects with `KV_CAPACITY` if the flush fails. */
  room(): Promise<void> | undefined {
    const { backlog, flusher, maxPending } = this.#parts;
    if (backlog.size + this.#admitted < maxPending) return undefined;
    if (backlog.size < maxPending) {
      this.#left ??= Promise.withResolvers();
      return this.#left.promise;
    }
    const full = (cause: unknown) =>
      new Refusal(
        "KV_CAPACITY",
        `${backlog.size} changes wait for the far tier, which cannot be reached, and maxPending allows ${maxPending}; nothing was written. Try again when the far tier is back, or raise maxPending`,
        { cause, retryable: true },
      );
    if (flusher.failure !== undefined) return Promise.reject(full(flusher.failure));
    return flusher.progress().catch((error: unknown) => {
      throw full(error);
    });
  }

  /** The number of commits that fit: at least one, because even the largest commit must be admitted at some time. */
  fitting(commits: readonly Commit[]): number {
    const { backlog, maxPending } = this.#parts;
    let size = backlog.size + this.#admitted;
    const over = commits.findIndex(({ mutations }, i) => {
      size += mutations.length;
      return i > 0 && size > maxPending;
    });
    return over === -1 ? commits.length : over;
  }

  /** Runs `make` for admitted commits and counts them until it has ended. */
  within<T>(commits: readonly Commit[], make: () => MaybePromise<T>): MaybePromise<T> {
    const states = commits.reduce((sum, { mutations }) => sum + mutations.length, 0);
    this.#admitted += states;
    const leave = () => {
      this.#admitted -= states;
      this.#left?.resolve();
      this.#left = undefined;
    };
    const made = rescued(make, (error) => {
      leave();
      throw error;
    });
    return after(made, (result) => {
      leave();
      return result;
    });
  }
}
