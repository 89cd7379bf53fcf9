import { delay, monotonicNow, Refusal } from "@kv/core";
import { isMomentary } from "../errors.ts";

/** Milliseconds that the first wait takes at most. */
const FIRST_MS = 2;
/** Milliseconds that any wait takes at most. */
const MOST_MS = 100;
/** How often something is tried at most, however short the waits were. */
const MOST_ATTEMPTS = 1000;
/** The part of a request's time that one which begins late still has, so that an answer can arrive. */
const LEAST_PART = 0.1;

export interface PatienceOptions {
  /** Milliseconds that a write goes on trying while others come between. */
  readonly busyTimeout: number;
  /** Milliseconds after which a request that is not answered is given up. */
  readonly requestTimeout: number;
}

/** How long one call may take: its clocks start when it is made, whatever it waits for, and however often it is tried. */
export class Patience {
  readonly busyTimeout: number;
  readonly #requestTimeout: number;
  readonly #begun = monotonicNow();

  constructor({ busyTimeout, requestTimeout }: PatienceOptions) {
    this.busyTimeout = busyTimeout;
    this.#requestTimeout = requestTimeout;
  }

  /** Whether no further attempt may begin. */
  get isOver(): boolean {
    return monotonicNow() - this.#begun >= this.busyTimeout;
  }

  /** Milliseconds that the call may go on waiting before anything of it was sent. */
  get left(): number {
    return Math.max(this.busyTimeout, this.#requestTimeout) - (monotonicNow() - this.#begun);
  }

  /** Whether so little is left that what was not sent by now is not sent any more. */
  get isSpent(): boolean {
    return this.left < this.#leastForRequest;
  }

  /** Milliseconds that a request which is made now may take. */
  get forRequest(): number {
    return Math.ceil(Math.min(this.#requestTimeout, Math.max(this.left, this.#leastForRequest)));
  }

  get #leastForRequest(): number {
    return this.#requestTimeout * LEAST_PART;
  }
}

/** A result, or that another writer came between: try again. */
export type Attempt<T> = { readonly done: T } | "again";

/**
 * Tries until no other writer comes between, for as long as the patience lasts. Waits between two attempts grow and are
 * random: of many writers that were in each other's way, few meet again.
 * @throws Refusal `KV_UNAVAILABLE` when the time is up; nothing was written then
 */
export async function untilUndisturbed<T>(
  patience: Patience,
  attempt: () => Promise<Attempt<T>>,
): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    const outcome = await attempt().catch((error: unknown): Attempt<T> => {
      if (isMomentary(error)) return "again";
      throw error;
    });
    if (outcome !== "again") return outcome.done;
    if (patience.isOver || attempts === MOST_ATTEMPTS) {
      throw new Refusal(
        "KV_UNAVAILABLE",
        `others write the same keys all the time, and after ${attempts} attempts within ${patience.busyTimeout} ms nothing was written`,
        { retryable: true },
      );
    }
    const most = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempts - 1, 10));
    await delay(Math.random() * most);
  }
}
