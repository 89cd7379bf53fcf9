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
  /** The most attempts of a call, the first one included: a positive integer. Default: 3. */
  readonly attempts?: number | undefined;
  /**
   * The pause before the second attempt; it doubles with each further one, and is shortened by a random part. A number
   * is seconds. Default: 50 ms.
   */
  readonly delay?: Duration | undefined;
  /** The longest pause. A number is seconds. Default: 1 s. */
  readonly maxDelay?: Duration | undefined;
}

/**
 * Repeats calls that failed because the backend could not be reached or did not answer (`KV_UNAVAILABLE`, `KV_TIMEOUT`,
 * or any error with `retryable: true`): opening, reads, counts, statistics, the beginning of scans and watches.
 *
 * A failed write may have been applied, with only the answer lost. So a write is repeated only if a second application
 * changes nothing: if the backend reports that nothing was applied, or if every mutation is a set, a delete or a touch
 * and nothing is checked. A checked write (`create`, `replace`, `update`, transactions) would conflict with its own
 * first attempt, and an increment would count twice: those are left to the caller. A repeated write may overwrite
 * another writer's between two attempts, and a repeated `delete` returns the result of its last attempt: `false` if an
 * earlier one removed the key. `clear` is not repeated.
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
          // With full jitter some callers would retry at once, so only half of the pause is random.
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

/** A clock that is accurate returns `undefined` at once, and nothing is repeated. */
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

/** A backend with synchronous pages cannot be unreachable for a moment, so they are not repeated. */
function begun<T>(pagesOf: () => Pages<T>, repeat: Repeat): Pages<T> {
  const pages = pagesOf();
  return Symbol.iterator in pages ? pages : begunLate(pages, pagesOf, repeat);
}

/** Repeats until there is a first page. A later failure ends the scan, since a repetition would yield pages twice. */
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
