import { type Adapter, forward, type MaybePromise, Refusal } from "@kv/core";

/** An adapter whose failures and delays a test commands. */
export interface Controlled {
  readonly adapter: Adapter;
  /** The calls that reached it, by name. */
  readonly calls: string[];
  /** Answers every call from now on: with a failure, or (`undefined`) as the adapter does. */
  failure: Error | undefined;
  /** Makes the next calls fail after they took effect, as many as this says. */
  lostAnswers: number;
  /** Whether answers come later. */
  late: boolean;
  /** Whether answers never come. */
  silent: boolean;
}

/** `watch` passes uncontrolled. */
export function controlled(inner: Adapter): Controlled {
  function answered<T>(name: string, run: () => MaybePromise<T>): MaybePromise<T> {
    control.calls.push(name);
    if (control.silent) return new Promise<T>(() => undefined);
    const { failure } = control;
    if (failure !== undefined) {
      if (!control.late) throw failure;
      return Promise.reject(failure);
    }
    const result = run();
    if (control.lostAnswers > 0) {
      control.lostAnswers--;
      return Promise.reject(unavailable());
    }
    return control.late ? new Promise((resolve) => setImmediate(() => resolve(result))) : result;
  }

  async function* pages<T>(name: string, all: () => ReturnType<typeof array<T>>) {
    await answered(name, () => undefined);
    yield* all();
  }

  const adapter = forward(inner, {
    open: () => answered("open", () => inner.open()),
    read: (namespace, keys) => answered("read", () => inner.read(namespace, keys)),
    commit: (namespace, commits) => answered("commit", () => inner.commit(namespace, commits)),
    scan: (namespace, range) => pages("scan", () => array(inner.scan(namespace, range))),
    count: (namespace, bounds) => answered("count", () => inner.count(namespace, bounds)),
    clear: (namespace, filter) => answered("clear", () => inner.clear(namespace, filter)),
    stats: (namespace, bounds) => answered("stats", () => inner.stats(namespace, bounds)),
  });
  const control: Controlled = {
    adapter,
    calls: [],
    failure: undefined,
    lostAnswers: 0,
    late: true,
    silent: false,
  };
  return control;
}

function array<T>(pages: Iterable<readonly T[]> | AsyncIterable<readonly T[]>) {
  return pages as AsyncIterable<readonly T[]>;
}

export function unavailable(): Refusal {
  return new Refusal("KV_UNAVAILABLE", "the test says that nobody is there");
}

/** An adapter that several stores may use in turn: opened by the first, and never closed. */
export function keeping(inner: Adapter): Adapter {
  let isOpen = false;
  return forward(inner, {
    open() {
      if (isOpen) return undefined;
      isOpen = true;
      return inner.open();
    },
    close: () => undefined,
  });
}
