import { Refusal } from "../contract/errors.ts";
import { shown } from "../contract/shown.ts";
import { delay } from "./platform.ts";

/** Returned by an attempt that lost the race. */
export const LOST: unique symbol = Symbol("lost");

/** Carries an error of the caller's own function, which is rethrown to the caller unchanged. */
export class CallerError extends Error {
  readonly thrown: unknown;

  constructor(thrown: unknown) {
    super("the caller's function threw");
    this.thrown = thrown;
  }
}

const DEFAULT_ATTEMPTS = 100;
/** How many attempts are made without a pause. */
const IMMEDIATE = 2;
const MAX_PAUSE_MS = 32;

/** @throws Refusal `KV_INVALID_OPTION` */
export function attemptsOf(attempts: number | undefined): number {
  if (attempts === undefined) return DEFAULT_ATTEMPTS;
  if (attempts === Number.POSITIVE_INFINITY || (Number.isSafeInteger(attempts) && attempts > 0))
    return attempts;
  throw new Refusal(
    "KV_INVALID_OPTION",
    `attempts must be a positive integer or Infinity, not ${shown(attempts)}`,
  );
}

/**
 * Tries until a race is won, pausing longer, at random, the more were lost: exponential backoff with full jitter
 * (M. Brooker, "Exponential Backoff And Jitter", 2015). `lost`: races lost before the first try.
 * @throws Refusal `KV_CONFLICT` after the last attempt
 */
export async function untilWon<T>(
  attempts: number,
  run: () => Promise<T | typeof LOST>,
  lost = 0,
): Promise<T> {
  for (let tries = lost; tries < attempts; tries++) {
    if (tries >= IMMEDIATE) await delay(Math.random() * Math.min(2 ** (tries - IMMEDIATE), MAX_PAUSE_MS));
    const result = await run();
    if (result !== LOST) return result;
  }
  throw new Refusal(
    "KV_CONFLICT",
    `another writer was faster in each of ${attempts} attempts; raise attempts, or write less to one key`,
    {
      retryable: true,
    },
  );
}

/** Calls the caller's function. @throws CallerError */
export function called<A, R>(fn: (argument: A) => R, argument: A): R {
  try {
    return fn(argument);
  } catch (error) {
    throw new CallerError(error);
  }
}

/** Awaits what the caller's function returned. @throws CallerError */
export async function asCaller<T>(returned: T | Promise<T>): Promise<T> {
  try {
    return await returned;
  } catch (error) {
    throw new CallerError(error);
  }
}
