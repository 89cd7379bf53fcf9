import type { PlannedCommit } from "./adapter-parts/deadline.ts";
import { refuseAborted } from "./arguments/signal.ts";
import { type Envelope, envelope, SET_OPTIONS } from "./arguments/write-options.ts";
import type { Adapter, CommitResult, MaybePromise, Namespace, StoredEntry } from "./contract/adapter.ts";
import { isAbortSignal } from "./contract/any-realm.ts";
import type { KvError } from "./contract/errors.ts";
import type { Metadata, SetOptions, StoreReader } from "./contract/store.ts";
import type { ViewContext } from "./operation/view-context.ts";

/** The method by which a view answers `viewAccess`, of whichever copy of this package the view and the caller are. */
export const VIEW_ACCESS: unique symbol = Symbol.for("@kv/core/view-access");

/**
 * What a write stores beside the value: its deadline, policy and user metadata, computed from its options. A deadline by a
 * clock that is not known yet is a `PendingDeadline`, which `ViewAccess.commit` turns into a time.
 */
export type WriteEnvelope = Envelope;

/**
 * A view from within: for a package that offers more of its backend than the contract says (streams, links, queries) as
 * functions over a `Store`. What it does so keeps the store's promises: keys are checked and prefixed, the adapter is
 * open, `close()` waits, writes keep their order, and every failure is a `KvError` with operation and key.
 */
export interface ViewAccess {
  /** The adapter with the store's middleware around it. What it is beyond the contract is its `native`. */
  readonly adapter: Adapter;
  readonly namespace: Namespace;
  /** What every key of the view is stored under: what its scopes put before it. */
  readonly prefix: string;
  /** Whether the view holds values against a schema, which what is written or read past it would evade. */
  readonly validates: boolean;
  /**
   * Runs something as if it were an operation of the store: what reads comes after all writes that were called before it,
   * what writes after those of the same keys, and it is given up after the store's timeout. `run` is given the keys as
   * they are stored.
   * @throws KvError as `operate`
   */
  run<T>(what: OrderedOperation, run: (storedKeys: readonly string[]) => Promise<T>): Promise<T>;
  /**
   * Runs an operation: once the adapter is open, in no order with others, with no limit of time.
   * @throws KvError for whatever `run` throws; `KV_CLOSED`; `KV_INVALID_KEY`; with `writes`, `KV_READ_ONLY`
   */
  operate<T>(what: ViewOperation, run: (storedKey: string) => Promise<T>): Promise<T>;
  /** Within an operation: a call of the backend that is given up after the store's timeout. */
  call<T>(run: () => MaybePromise<T>): Promise<T>;
  /** Milliseconds after which `call` gives up. */
  readonly timeout: number;
  /**
   * Within an operation that waits for more than the backend: calls back when the store is being closed, which waits for
   * the operation. → a function that takes it back
   */
  onClosing(callback: () => void): () => void;
  /** Within an operation: resolves once the writes that were called before have settled. */
  settled(): Promise<void>;
  /** Within an operation: a commit of stored keys, in program order with the store's own. */
  commit(commit: PlannedCommit, signal?: AbortSignal): Promise<CommitResult>;
  /** @throws Refusal where an option of a write is unknown or impossible */
  envelope(options: SetOptions | undefined, of: string): WriteEnvelope;
  metadata(entry: StoredEntry): Metadata;
  /** Whatever was thrown, as the error that the operation rejects with: for what fails after it has ended. */
  error(error: unknown, operation: string, key?: string): KvError;
}

export interface ViewOperation {
  /** As errors call it, e.g. `"setStream"`. */
  readonly operation: string;
  /** As the caller wrote it; `undefined` where it concerns no single key. */
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

/** @throws TypeError where `store` is no store of @kv/core, nor a view of one */
export function viewAccess(store: StoreReader): ViewAccess {
  const view = store as StoreReader & { [VIEW_ACCESS]?: () => ViewAccess };
  if (typeof view === "object" && view !== null && typeof view[VIEW_ACCESS] === "function") {
    return view[VIEW_ACCESS]();
  }
  throw new TypeError("this is no store, nor a view of one");
}

/** The access to what a view is a view of. */
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
