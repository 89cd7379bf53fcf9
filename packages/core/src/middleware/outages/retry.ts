import { forward } from "../../adapter-parts/forward.ts";
import type { Adapter, MaybePromise, Middleware, Pages } from "../../contract/adapter.ts";
import { isPromise } from "../../contract/any-realm.ts";
import type { Duration } from "../../contract/duration.ts";
import { after, rescued } from "../../runtime/maybe-promise.ts";
import { delay } from "../../runtime/platform.ts";
import { isRetryable } from "../parts/failure-code.ts";
import { begunPages, remainingPages } from "../parts/first-page.ts";
import { checkedOptions, durationOption, positiveInteger } from "../parts/middleware-options.ts";
import { commitRepeating, type Repeat, type Repetition } from "./commit-repetition.ts";

export interface RetryOptions {
  /** How often a call is made at most, the first time counted: a positive integer. Default: 3. */
  readonly attempts?: number | undefined;
  /** The pause before the second attempt; it doubles with each further one, less a random part. A number is seconds. Default: 50 ms. */
  readonly delay?: Duration | undefined;
  /** The longest pause. A number is seconds. Default: 1 s. */
  readonly maxDelay?: Duration | undefined;
}

/**
 * Repeats calls that failed because the backend could not be reached or did not answer (`KV_UNAVAILABLE`, `KV_TIMEOUT`,
 * or whatever else says that it is retryable): opening, reads, counts, statistics, the beginning of scans and watches.
 *
 * A failed write may have been applied, with only the answer lost. So one is repeated where that changes nothing: where
 * the backend says that nothing was applied, or where every mutation is a set, a delete or a touch and nothing is
 * checked. What is checked (`create`, `replace`, `update`, transactions) would fail at its own first attempt, and an
 * increment would count twice: those are left to the caller. A write that is repeated may overwrite what another writer
 * wrote between two attempts, and a repeated `delete` answers for its last attempt: `false` where an earlier one removed
 * the key. `clear` is not repeated.
 *
 * The store's `timeout` is over all attempts; give each its own with `timeout` inside: `[retry(), timeout({ after: 1 })]`.
 * @throws KvError `KV_INVALID_OPTION`
 */
export function retry(options: RetryOptions = {}): Middleware {
  const { attempts, pause, maxPause } = checkedOptions(
    "retry",
    ["attempts", "delay", "maxDelay"],
    options,
    (given) => ({
      attempts: positiveInteger("attempts", given.attempts ?? 3),
      pause: durationOption("delay", given.delay ?? 0.05),
      maxPause: durationOption("maxDelay", given.maxDelay ?? 1),
    }),
  );

  return (inner) => {
    function attempt<T>(
      run: () => MaybePromise<T>,
      repetition: Repetition<T>,
      failures: number,
    ): MaybePromise<T> {
      return after(settled(run), (settlement) => {
        const wanted =
          "error" in settlement
            ? repetition.failed !== false && isRetryable(inner, settlement.error)
            : repetition.unfinished?.(settlement.value);
        if (wanted && failures + 1 < attempts) {
          // Full jitter would let some come back at once; half of the pause is certain.
          const longest = Math.min(pause * 2 ** failures, maxPause);
          return delay(longest * (0.5 + Math.random() / 2)).then(() =>
            attempt(run, repetition, failures + 1),
          );
        }
        if ("error" in settlement) throw settlement.error;
        return settlement.value;
      });
    }
    return retried(inner, (run, repetition = {}) => attempt(run, repetition, 0));
  };
}

function settled<T>(run: () => MaybePromise<T>): MaybePromise<{ value: T } | { error: unknown }> {
  return rescued<{ value: T } | { error: unknown }>(
    () => after(run(), (value) => ({ value })),
    (error) => ({ error }),
  );
}

function retried(inner: Adapter, repeat: Repeat): Adapter {
  const { syncClock, watch } = inner;
  return forward(inner, {
    open: () => repeat(() => inner.open()),
    read: (namespace, keys, payloadsOnly) => repeat(() => inner.read(namespace, keys, payloadsOnly)),
    commit: (namespace, commits) => commitRepeating(inner, namespace, commits, repeat),
    scan: (namespace, range) => begun(() => inner.scan(namespace, range), repeat),
    count: (namespace, bounds) => repeat(() => inner.count(namespace, bounds)),
    namespaces: (under) => begun(() => inner.namespaces(under), repeat),
    stats: (namespace, bounds) => repeat(() => inner.stats(namespace, bounds)),
    ...(syncClock === undefined ? undefined : { syncClock: () => synced(syncClock.bind(inner), repeat) }),
    ...(watch === undefined
      ? undefined
      : {
          watch: (namespace, bounds, listener, othersOnly) =>
            repeat(() => watch.call(inner, namespace, bounds, listener, othersOnly)),
        }),
  } satisfies Partial<Adapter>);
}

/** What is right already answers at once, and there is nothing to repeat. */
function synced(syncClock: () => Promise<void> | undefined, repeat: Repeat): Promise<void> | undefined {
  let first = syncClock();
  if (first === undefined) return undefined;
  const repeated = repeat(() => {
    const asked = first ?? syncClock();
    first = undefined;
    return asked;
  });
  return isPromise(repeated) ? repeated : undefined;
}

/** A backend that gives its pages at once is not one that may be unreachable for a moment. */
function begun<T>(pagesOf: () => Pages<T>, repeat: Repeat): Pages<T> {
  const pages = pagesOf();
  return Symbol.iterator in pages ? pages : begunLate(pages, pagesOf, repeat);
}

/** Repeated until there is a first page. From then on a failure is the end: pages that were seen would come twice. */
async function* begunLate<T>(
  pages: Pages<T>,
  pagesOf: () => Pages<T>,
  repeat: Repeat,
): AsyncGenerator<readonly T[], void, undefined> {
  let untried: Pages<T> | undefined = pages;
  yield* remainingPages(
    await repeat(() => {
      const tried = untried ?? pagesOf();
      untried = undefined;
      return begunPages(tried);
    }),
  );
}
