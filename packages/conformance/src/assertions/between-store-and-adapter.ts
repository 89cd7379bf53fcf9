import { type Adapter, forward, type MaybePromise, type Middleware } from "@kv/core";

/** The calls that reached the backend, by method. */
export interface Recorder {
  readonly calls: (keyof Adapter)[];
  readonly between: Middleware;
}

/** Records every call that a store makes to its adapter. */
export function recorder(): Recorder {
  const calls: (keyof Adapter)[] = [];
  function noted<A extends unknown[], R>(name: keyof Adapter, method: (...args: A) => R): (...args: A) => R {
    return (...args) => {
      calls.push(name);
      return method(...args);
    };
  }
  return {
    calls,
    between: (inner) => {
      const { watch } = inner;
      return forward(inner, {
        open: noted("open", () => inner.open()),
        close: noted("close", () => inner.close()),
        read: noted("read", inner.read.bind(inner)),
        commit: noted("commit", inner.commit.bind(inner)),
        scan: noted("scan", inner.scan.bind(inner)),
        count: noted("count", inner.count.bind(inner)),
        clear: noted("clear", inner.clear.bind(inner)),
        namespaces: noted("namespaces", inner.namespaces.bind(inner)),
        stats: noted("stats", inner.stats.bind(inner)),
        sweep: noted("sweep", inner.sweep.bind(inner)),
        ...(watch === undefined ? {} : { watch: noted("watch", watch.bind(inner)) }),
      });
    },
  };
}

/** A backend that stops answering between `begin()` and `end()`. */
export interface Stall {
  readonly between: Middleware;
  /** From now on, no call is answered. */
  begin(): void;
  /** Answers every call that waits, and every later one. */
  end(): void;
}

/** Stalls reads, commits, counts and pages of scans. */
export function stall(): Stall {
  let gate = Promise.withResolvers<void>();
  let stalled = false;

  function later<T>(answer: () => MaybePromise<T>): MaybePromise<T> {
    return stalled ? gate.promise.then(answer) : answer();
  }

  return {
    between: (inner) =>
      forward(inner, {
        read: (...args) => later(() => inner.read(...args)),
        commit: (namespace, commits) => later(() => inner.commit(namespace, commits)),
        count: (namespace, bounds) => later(() => inner.count(namespace, bounds)),
        clear: (namespace, filter) => later(() => inner.clear(namespace, filter)),
        stats: (namespace, bounds) => later(() => inner.stats(namespace, bounds)),
        async *scan(namespace, range) {
          await later(() => undefined);
          yield* inner.scan(namespace, range);
        },
      }),
    begin() {
      stalled = true;
      gate = Promise.withResolvers();
    },
    end() {
      stalled = false;
      gate.resolve();
    },
  };
}
