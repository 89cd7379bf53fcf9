import { forward } from "../../adapter-parts/forward.ts";
import type { Adapter, MaybePromise, Middleware, Pages } from "../../contract/adapter.ts";
import { isPromise } from "../../contract/any-realm.ts";
import type { Duration } from "../../contract/duration.ts";
import { lateness, lateWrite, Timeouts } from "../../runtime/timeouts.ts";
import { checkedOptions, durationOption } from "../parts/middleware-options.ts";

export interface TimeoutOptions {
  /** How long one call of the adapter may take, and one page of a scan. A number is seconds. */
  readonly after: Duration;
}

/**
 * Gives up on a call that takes too long, with `KV_TIMEOUT`; a write may still take effect then. A store has a timeout of
 * its own, over everything: this one goes inside of `retry`, which makes the call again, or of `fallback`, which makes
 * it elsewhere. A synchronous answer cannot be late.
 * @throws KvError `KV_INVALID_OPTION`
 */
export function timeout(options: TimeoutOptions): Middleware {
  const ms = checkedOptions("timeout", ["after"], options, (given) => durationOption("after", given.after));
  return (inner) => limited(inner, ms);
}

function limited(inner: Adapter, ms: number): Adapter {
  const given = inTime(ms);
  function within<T>(result: MaybePromise<T>, what: string, failure = lateness): MaybePromise<T> {
    return isPromise(result) ? given(result, what, { failure }) : result;
  }
  const { syncClock, watch } = inner;
  return forward(inner, {
    open: opening(inner, given),
    close: () => within(inner.close(), "closing"),
    read: (namespace, keys, payloadsOnly) => within(inner.read(namespace, keys, payloadsOnly), "reading"),
    commit: (namespace, commits) => within(inner.commit(namespace, commits), "writing", lateWrite),
    scan: (namespace, range) => pagesInTime(inner.scan(namespace, range), given),
    count: (namespace, bounds) => within(inner.count(namespace, bounds), "counting"),
    clear: (namespace, filter) => within(inner.clear(namespace, filter), "clearing", lateWrite),
    namespaces: (under) => pagesInTime(inner.namespaces(under), given),
    stats: (namespace, bounds) => within(inner.stats(namespace, bounds), "gathering statistics"),
    ...(syncClock === undefined
      ? undefined
      : {
          syncClock() {
            const asked = syncClock.call(inner);
            return asked === undefined ? undefined : given(asked, "asking for the server's time");
          },
        }),
    ...(watch === undefined
      ? undefined
      : {
          watch(namespace, bounds, listener, othersOnly) {
            const watching = watch.call(inner, namespace, bounds, listener, othersOnly);
            if (!isPromise(watching)) return watching;
            let late = false;
            // No caller would end a watch that begins after it was given up.
            watching.then((unwatch) => late && unwatch()).catch(() => undefined);
            const expired = () => {
              late = true;
            };
            return given(watching, "watching", { expired });
          },
        }),
  } satisfies Partial<Adapter>);
}

/**
 * An `open` that was given up may still be pending at the next `open`, which then waits for the same one. If it
 * succeeded with no caller waiting, what it opened would leak.
 */
function opening(inner: Adapter, given: InTime): () => MaybePromise<void> {
  let pending: Promise<void> | undefined;
  let waiting = 0;
  return () => {
    if (pending === undefined) {
      const opened = inner.open();
      if (!isPromise(opened)) return undefined;
      pending = opened.finally(() => {
        pending = undefined;
      });
      pending.then(() => (waiting === 0 ? inner.close() : undefined)).catch(() => undefined);
    }
    waiting++;
    return given(pending, "opening").finally(() => {
      waiting--;
    });
  };
}

interface Lateness {
  readonly failure?: typeof lateness;
  readonly expired?: () => void;
}

type InTime = <T>(promise: Promise<T>, what: string, lateness?: Lateness) => Promise<T>;

function inTime(ms: number): InTime {
  const timeouts = new Timeouts(ms);
  return (promise, what, { failure = lateness, expired } = {}) =>
    timeouts.guard(promise, () => {
      expired?.();
      return failure(what, ms);
    });
}

function pagesInTime<T>(pages: Pages<T>, given: InTime): Pages<T> {
  if (Symbol.iterator in pages) return pages;
  return {
    [Symbol.asyncIterator]() {
      const iterator = pages[Symbol.asyncIterator]();
      let late = false;
      return {
        next: () =>
          given(iterator.next(), "a page of a scan", {
            expired() {
              late = true;
            },
          }),
        async return() {
          const ended = iterator.return?.();
          // Ending a generator waits for its pending page, which may never come.
          if (late) ended?.catch(() => undefined);
          else await ended;
          return { done: true, value: undefined };
        },
      };
    },
  };
}
