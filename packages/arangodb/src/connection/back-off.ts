import { delay, monotonicNow, Refusal } from "@kv/core";
import { isMomentary } from "../errors.ts";

/** The longest first wait, in milliseconds. */
const FIRST_MS = 2;
/** The longest wait, in milliseconds. */
const MOST_MS = 100;
/** The most attempts, however short the waits were. */
const MOST_ATTEMPTS = 1000;
/** The part of its time that a request which starts late still gets, so that an answer can arrive. */
const LEAST_PART = 0.1;

export interface PatienceOptions {
  /** Milliseconds that a write keeps retrying while other writers come between. */
  readonly busyTimeout: number;
  /** Milliseconds after which a request without an answer is abandoned. */
  readonly requestTimeout: number;
}

/** How long one call may take, counted from the call, whatever it waits for and however often it is retried. */
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

  /** Milliseconds that the call may still wait before anything has been sent. */
  get left(): number {
    return Math.max(this.busyTimeout, this.#requestTimeout) - (monotonicNow() - this.#begun);
  }

  /** Whether too little time is left to send the request at all. */
  get isSpent(): boolean {
    return this.left < this.#leastForRequest;
  }

  /** Milliseconds that a request sent now may take. */
  get forRequest(): number {
    return Math.ceil(Math.min(this.#requestTimeout, Math.max(this.left, this.#leastForRequest)));
  }

  get #leastForRequest(): number {
    return this.#requestTimeout * LEAST_PART;
  }
}

/** A result, or `"again"` if another writer came between. */
export type Attempt<T> = { readonly done: T } | "again";

/**
 * Retries until no other writer comes between, as long as the patience lasts. Waits between two attempts are random and
 * grow, so that few of the writers that collided collide again.
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
        `other writers kept changing the same keys, and after ${attempts} attempts within ${patience.busyTimeout} ms nothing was written; try again, or raise the option busyTimeout`,
        { retryable: true },
      );
    }
    const most = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempts - 1, 10));
    await delay(Math.random() * most);
  }
}
