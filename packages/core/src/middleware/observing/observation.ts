import { forward } from "../../adapter-parts/forward.ts";
import type { Adapter, CommitResult, MaybePromise, Namespace, Pages } from "../../contract/adapter.ts";
import { isPromise } from "../../contract/any-realm.ts";

/** The calls of an adapter that are observed. `errorCode` and `clock` do not call the backend. */
export type AdapterOperation =
  | "open"
  | "close"
  | "read"
  | "commit"
  | "scan"
  | "count"
  | "clear"
  | "namespaces"
  | "watch"
  | "stats"
  | "sweep";

/** One call of an adapter, as it begins. */
export interface AdapterCall {
  readonly operation: AdapterOperation;
  /** `undefined` if the call concerns all namespaces. */
  readonly namespace: Namespace | undefined;
  /** How many keys are read, or commits made; `undefined` for other calls. */
  readonly items: number | undefined;
  /** The keys concerned, in order, each as often as it is named. */
  readonly keys: () => string[];
}

/** Called at the end of a call, with its error if it failed. A batch in which one commit failed alone counts as a failure, too. */
export type CallEnd = (failure: { readonly error: unknown } | undefined) => void;

const NONE = (): string[] => [];

/**
 * An adapter that reports every call to `begin`, and its end to the function that `begin` returned. A scan lasts until
 * it is left.
 */
export function observed(inner: Adapter, begin: (call: AdapterCall) => CallEnd): Adapter {
  function call<T>(
    operation: AdapterOperation,
    namespace: Namespace | undefined,
    run: () => MaybePromise<T>,
    failureIn?: (result: T) => { readonly error: unknown } | undefined,
    items?: number,
    keys: () => string[] = NONE,
  ): MaybePromise<T> {
    const end = begin({ operation, namespace, items, keys });
    let result: MaybePromise<T>;
    try {
      result = run();
    } catch (error) {
      end({ error });
      throw error;
    }
    if (!isPromise(result)) {
      end(failureIn?.(result));
      return result;
    }
    return result.then(
      (value) => {
        end(failureIn?.(value));
        return value;
      },
      (error: unknown) => {
        end({ error });
        throw error;
      },
    );
  }

  const { watch } = inner;
  return forward(inner, {
    open: () => call("open", undefined, () => inner.open()),
    close: () => call("close", undefined, () => inner.close()),
    read: (namespace, keys, payloadsOnly) =>
      call(
        "read",
        namespace,
        () => inner.read(namespace, keys, payloadsOnly),
        undefined,
        keys.length,
        () => [...keys],
      ),
    commit: (namespace, commits) =>
      call(
        "commit",
        namespace,
        () => inner.commit(namespace, commits),
        failedCommit,
        commits.length,
        () => commits.flatMap(({ mutations }) => mutations.map(({ key }) => key)),
      ),
    scan: (namespace, range) =>
      observedPages(inner.scan(namespace, range), () =>
        begin({ operation: "scan", namespace, items: undefined, keys: NONE }),
      ),
    count: (namespace, bounds) => call("count", namespace, () => inner.count(namespace, bounds)),
    clear: (namespace, filter) => call("clear", namespace, () => inner.clear(namespace, filter)),
    namespaces: (under) =>
      observedPages(inner.namespaces(under), () =>
        begin({ operation: "namespaces", namespace: under, items: undefined, keys: NONE }),
      ),
    stats: (namespace, bounds) => call("stats", namespace, () => inner.stats(namespace, bounds)),
    sweep: () => call("sweep", undefined, () => inner.sweep()),
    ...(watch === undefined
      ? undefined
      : {
          watch: (namespace, bounds, listener, othersOnly) =>
            call("watch", namespace, () => watch.call(inner, namespace, bounds, listener, othersOnly)),
        }),
  } satisfies Partial<Adapter>);
}

function failedCommit(results: readonly CommitResult[]): { readonly error: unknown } | undefined {
  return results.find((result) => result.status === "error");
}

/** Begins with the first page, ends with the last one, a failure, or the consumer's leaving. */
function observedPages<T>(pages: Pages<T>, begin: () => CallEnd): Pages<T> {
  return Symbol.iterator in pages ? observedNow(pages, begin) : observedLate(pages, begin);
}

function* observedNow<T>(
  pages: Iterable<readonly T[]>,
  begin: () => CallEnd,
): Generator<readonly T[], void, undefined> {
  const end = begin();
  let failure: { readonly error: unknown } | undefined;
  try {
    yield* pages;
  } catch (error) {
    failure = { error };
    throw error;
  } finally {
    end(failure);
  }
}

async function* observedLate<T>(
  pages: AsyncIterable<readonly T[]>,
  begin: () => CallEnd,
): AsyncGenerator<readonly T[], void, undefined> {
  const end = begin();
  let failure: { readonly error: unknown } | undefined;
  try {
    yield* pages;
  } catch (error) {
    failure = { error };
    throw error;
  } finally {
    end(failure);
  }
}
