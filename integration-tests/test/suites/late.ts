import { type Adapter, forward, type MaybePromise } from "@kv/core";

/** Lets other work go first, now and then for longer: answers overtake one another as those of a network do. */
async function later(): Promise<void> {
  for (let turns = Math.floor(Math.random() * 4); turns > 0; turns--) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** An adapter at the other end of a line: every answer takes its time, and the calls of one tick are gathered. */
export function late(inner: Adapter): Adapter {
  async function answered<T>(answer: () => MaybePromise<T>): Promise<T> {
    await later();
    const result = await answer();
    await later();
    return result;
  }

  async function* delayed<T>(pages: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T> {
    await later();
    for await (const page of pages) {
      yield page;
      await later();
    }
  }

  const watch = inner.watch?.bind(inner);
  return forward(inner, {
    batch: { read: true, commit: true },
    open: () => answered(() => inner.open()),
    close: () => answered(() => inner.close()),
    read: (...args) => answered(() => inner.read(...args)),
    commit: (namespace, commits) => answered(() => inner.commit(namespace, commits)),
    scan: (namespace, range) => delayed(inner.scan(namespace, range)),
    count: (namespace, bounds) => answered(() => inner.count(namespace, bounds)),
    clear: (namespace, filter) => answered(() => inner.clear(namespace, filter)),
    namespaces: (under) => delayed(inner.namespaces(under)),
    stats: (namespace, bounds) => answered(() => inner.stats(namespace, bounds)),
    sweep: () => answered(() => inner.sweep()),
    ...(watch === undefined
      ? {}
      : { watch: (namespace, bounds, listener) => answered(() => watch(namespace, bounds, listener)) }),
  });
}
