import type { PlannedCommit } from "./adapter-parts/deadline.ts";
import { refuseAborted } from "./arguments/signal.ts";
import { type Envelope, envelope, SET_OPTIONS } from "./arguments/write-options.ts";
import type { Adapter, CommitResult, MaybePromise, Namespace, StoredEntry } from "./contract/adapter.ts";
import { isAbortSignal } from "./contract/any-realm.ts";
import type { KvError } from "./contract/errors.ts";
import type { Metadata, SetOptions, StoreReader } from "./contract/store.ts";
import type { ViewContext } from "./operation/view-context.ts";

/** The method through which `viewAccess` reaches a view, even if the view and the caller use different copies of this package. */
export const VIEW_ACCESS: unique symbol = Symbol.for("@kv/core/view-access");

/**
 * What a write stores beside the value: its deadline, policy and user metadata, computed from its options. If the clock
 * is not known yet, the deadline is a `PendingDeadline`, which `ViewAccess.commit` turns into a time.
 */
export type WriteEnvelope = Envelope;

/**
 * A view's internals, for a package that offers more of its backend than the contract has (streams, links, queries) as
 * functions over a `Store`. Such functions keep the store's promises: keys are checked and prefixed, the adapter is
 * open, `close()` waits, writes keep their order, and every failure is a `KvError` with operation and key.
 */
export interface ViewAccess {
  /** The adapter with the store's middleware around it. Its `native` is what it offers beyond the contract. */
  readonly adapter: Adapter;
  readonly namespace: Namespace;
  /** What the view's scopes prepend to every key. */
  readonly prefix: string;
  /** Whether the view validates with a schema. Access through this object bypasses it. */
  readonly validates: boolean;
  /**
   * Runs a function as an operation of the store: a read runs after all writes called before it, a write after those of
   * the same keys, and both are given up after the store's timeout. `run` receives the keys as they are stored.
   * @throws KvError as `operate`
   */
  run<T>(what: OrderedOperation, run: (storedKeys: readonly string[]) => Promise<T>): Promise<T>;
  /**
   * Runs an operation once the adapter is open, not ordered with others and without a time limit.
   * @throws KvError wrapping whatever `run` throws; `KV_CLOSED`; `KV_INVALID_KEY`; with `writes`, `KV_READ_ONLY`
   */
  operate<T>(what: ViewOperation, run: (storedKey: string) => Promise<T>): Promise<T>;
  /** Within an operation: makes a call of the backend, given up after the store's timeout. */
  call<T>(run: () => MaybePromise<T>): Promise<T>;
  /** Milliseconds after which `call` gives up. */
  readonly timeout: number;
  /**
   * Within an operation that waits for more than the backend: calls back when `close()` is called, which waits for the
   * operation. Returns a function that removes the callback.
   */
  onClosing(callback: () => void): () => void;
  /** Within an operation: resolves once the writes called before it have settled. */
  settled(): Promise<void>;
  /** Within an operation: a commit of stored keys, in program order with the store's own. */
  commit(commit: PlannedCommit, signal?: AbortSignal): Promise<CommitResult>;
  /** @throws Refusal if an option of a write is unknown or invalid */
  envelope(options: SetOptions | undefined, of: string): WriteEnvelope;
  metadata(entry: StoredEntry): Metadata;
  /** Wraps a thrown value as the operation's error, for failures after the operation has ended. */
  error(error: unknown, operation: string, key?: string): KvError;
}

export interface ViewOperation {
  /** As errors call it, e.g. `"setStream"`. */
  readonly operation: string;
  /** As the caller wrote it; `undefined` if the operation does not concern a single key. */
  readonly key?: string | undefined;
  readonly writes?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface OrderedOperation {
  /** As errors call it, e.g. `"link"`. */
  readonly operation: string;
  /** The keys that it concerns, as the caller wrote them. */
  readonly keys: readonly string[];
  readonly writes: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** @throws TypeError if `store` is neither a store of @kv/core nor a view of one */
export function viewAccess(store: StoreReader): ViewAccess {
  const view = store as StoreReader & { [VIEW_ACCESS]?: () => ViewAccess };
  if (typeof view === "object" && view !== null && typeof view[VIEW_ACCESS] === "function") {
    return view[VIEW_ACCESS]();
  }
  throw new TypeError("the argument is neither a store of @kv/core nor a view of one");
}

/** Makes the access to a view from its context. */
export function accessTo(context: ViewContext): ViewAccess {
  const { connection, lane } = context;
  return {
    adapter: connection.adapter,
    namespace: context.settings.namespace,
    prefix: context.prefix,
    validates: context.hasSchema,
    run: ({ operation, keys, writes, signal }, run) =>
      context.operate(operation, keys[0], signal, () => {
        refuseAborted(signal);
        if (writes) context.assertWritable();
        else context.assertReadable();
        const stored = context.storedKeys(keys);
        if (writes) {
          return lane.section(stored, (direct) => {
            refuseAborted(signal);
            return direct.guardWrite(run(stored));
          });
        }
        return lane.afterCommits(() => run(stored));
      }),
    operate({ operation, key, writes = false, signal }, run) {
      const fault =
        key === undefined ? undefined : writes ? context.writeRefusal(key) : context.keyRefusal(key);
      if (fault !== undefined) return context.fail(fault, operation, key);
      const listened = isAbortSignal(signal) ? signal : undefined;
      return context.operate(operation, key, listened, () => {
        refuseAborted(signal);
        if (writes) context.assertWritable();
        else context.assertReadable();
        return connection.enter(() => connection.work.track(run(context.prefix + (key ?? ""))));
      });
    },
    call: async (run) => connection.continue(() => connection.call(run)),
    timeout: connection.timeout,
    onClosing: (callback) => connection.onClosing(callback),
    settled: async () => void (await connection.continue(() => lane.afterCommits(() => undefined))),
    commit: async (commit, signal) => connection.continue(() => lane.commitOne(commit, signal)),
    envelope: (options, of) =>
      envelope(options, SET_OPTIONS, of, context.settings.defaultTtl, connection.deadline),
    metadata: (entry) => context.metadata(entry),
    error: (error, operation, key) => context.error(error, operation, key),
  };
}
