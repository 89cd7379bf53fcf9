import type { Adapter, Namespace } from "./adapter.ts";
import { KvError } from "./errors.ts";
import { ReaderView } from "./reader-view.ts";
import { refuseAborted } from "./signal.ts";
import type { StoreReader } from "./store.ts";

export interface BackendCall {
  /** What the operation is called in errors. */
  readonly operation: string;
  /** The keys that it concerns, as the store's user knows them. */
  readonly keys: readonly string[];
  /** Refused by a store that only reads. */
  readonly writes: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** What a store is a view of: for what an adapter's package offers beside the store. */
export interface Backend {
  /** The adapter that the store was made over, middleware aside. */
  readonly adapter: Adapter;
  readonly namespace: Namespace;
  /** What every key of this view is stored under. */
  readonly prefix: string;
  /**
   * Runs something on the backend as if it were an operation of the store: it is opened first, the keys are checked and
   * given as they are stored, what reads comes after all writes that were called before it, what writes after those of
   * the same keys, `close` waits for it, it is given up after the store's timeout, and what it throws is wrapped.
   */
  run<T>(call: BackendCall, run: (keys: readonly string[]) => Promise<T>): Promise<T>;
}

/**
 * What a store is a view of.
 * @throws KvError `KV_INVALID_OPTION` where it is no store of `createStore`
 */
export function backendOf<V>(store: StoreReader<V>): Backend {
  const context = ReaderView.contextOf(store);
  if (context === undefined) {
    throw new KvError("KV_INVALID_OPTION", {
      message: "this needs a store that createStore has made, or a view of one",
      operation: "backendOf",
      adapter: "kv",
    });
  }
  const { backend: adapter, namespace } = context.settings;
  return {
    adapter,
    namespace,
    prefix: context.prefix,
    run: ({ operation, keys, writes, signal }, run) =>
      context.operate(operation, keys[0], signal, () => {
        refuseAborted(signal);
        if (writes) context.assertWritable();
        else context.assertReadable();
        const stored = context.storedKeys(keys);
        if (writes) return context.lane.section(stored, () => context.connection.guard(run(stored)));
        const before = context.lane.settled();
        if (before === undefined) return context.connection.call(() => run(stored));
        return before.then(() => context.connection.call(() => run(stored)));
      }),
  };
}
