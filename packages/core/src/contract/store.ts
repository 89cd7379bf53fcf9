import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Policy } from "./adapter.ts";
import type { Capabilities } from "./capabilities.ts";
import type { Duration } from "./duration.ts";
import type { KvError } from "./errors.ts";

/** An entry's metadata. Reading never changes it. */
export interface Metadata {
  /** Opaque; differs after every write of the key. Compare for equality only. */
  readonly revision: string;
  /** When the key came to exist. */
  readonly createdAt: Date;
  /** When it was last written. */
  readonly updatedAt: Date;
  /** When it expires; missing: never. */
  readonly expiresAt?: Date;
  readonly policy: Policy;
  /** Bytes the stored payload takes, if the backend reports them. */
  readonly size?: number;
  /** The `metadata` it was set with. */
  readonly user?: UserMetadata;
}

/** The user's own metadata: a JSON object. */
export type UserMetadata = { readonly [name: string]: unknown };

export interface Entry<V> {
  readonly key: string;
  readonly value: V;
  readonly metadata: Metadata;
}

export interface SignalOptions {
  /** Rejects the operation with `KV_ABORTED`. A write that was already handed to the backend may still take effect. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * How a scan treats an entry that cannot be decoded: it skips it and warns once (default), throws, or passes the error
 * to a callback.
 */
export type OnCorrupt = "skip" | "throw" | ((error: KvError) => void);

export interface SetOptions extends SignalOptions {
  /**
   * Time to live: seconds, `"90s"`, `"5m"`, `"24h"`, `"7d"`, or `{ hours: 2, minutes: 30 }`; `null`: never expires,
   * whatever the store's `defaultTtl`.
   */
  readonly ttl?: Duration | null | undefined;
  /** The deadline itself, instead of `ttl`: a `Date` or milliseconds since 1970. One in the past leaves the key absent. */
  readonly expiresAt?: Date | number | undefined;
  /** Keep the live entry's deadline. Excludes `ttl` and `expiresAt`. */
  readonly keepTtl?: boolean | undefined;
  /** Default: `"persist"`. */
  readonly policy?: Policy | undefined;
  /** The user's own metadata, a JSON object. Replaces the earlier metadata; default: none. */
  readonly metadata?: UserMetadata | undefined;
}

/** For the first write of a counter: an existing one keeps its deadline, policy and metadata. */
export interface IncrementOptions extends Omit<SetOptions, "keepTtl"> {}

export interface ReplaceOptions extends SetOptions {
  /** The revision that the live entry must have. */
  readonly revision: string;
}

export interface DeleteOptions extends SignalOptions {
  /** Delete only if the live entry has this revision. */
  readonly revision?: string | undefined;
}

export interface UpdateOptions extends SetOptions {
  /** How often to try before `KV_CONFLICT`. Default: 100. */
  readonly attempts?: number | undefined;
}

/** The keys of a range. Bounds intersect; an empty selector is everything. */
export interface Bounded {
  /** Keys that begin with it. `""`: all. */
  readonly prefix?: string | undefined;
  readonly gt?: string | undefined;
  readonly gte?: string | undefined;
  readonly lt?: string | undefined;
  readonly lte?: string | undefined;
}

export interface Selector extends Bounded, SignalOptions {
  /** Descending key order. Default: false. */
  readonly reverse?: boolean | undefined;
  /** At most so many: a non-negative integer or `Infinity`. Default: `Infinity`; for `page`: 100. */
  readonly limit?: number | undefined;
  /** Default: the store's. */
  readonly onCorrupt?: OnCorrupt | undefined;
}

export interface RangeOptions extends SignalOptions {
  readonly reverse?: boolean | undefined;
  readonly limit?: number | undefined;
  readonly onCorrupt?: OnCorrupt | undefined;
}

export interface PageSelector extends Selector {
  /** The `cursor` of the page before, with an otherwise equal selector. */
  readonly cursor?: string | undefined;
}

export interface Page<V> {
  readonly entries: Entry<V>[];
  /** Where the next page begins; missing on the last page. Survives a restart. */
  readonly cursor?: string;
}

export interface ClearSelector extends Selector {
  /** Also remove all entries of the namespaces below this one. Goes with no other option but `signal`, and not with a scope. */
  readonly namespaces?: boolean | undefined;
}

export interface ListNamespacesOptions extends SignalOptions {
  /** Only paths whose first segment begins with it. */
  readonly prefix?: string | undefined;
  /** Only paths of at most so many segments: a positive integer or `Infinity` (default). */
  readonly depth?: number | undefined;
}

export interface WatchSelector extends Bounded, SignalOptions {
  /** Begin with the entries there are, as `"set"` changes. Default: false. */
  readonly initial?: boolean | undefined;
}

/** A change, or `"resync"`: changes may have been missed, and the range must be read again. */
export type Change<V> =
  | { readonly type: "set" | "touch"; readonly key: string; readonly revision: string; readonly value: V }
  | {
      readonly type: "delete" | "expire";
      readonly key: string;
      readonly revision?: never;
      readonly value?: never;
    }
  | { readonly type: "resync"; readonly key?: never; readonly revision?: never; readonly value?: never };

export interface Subscription {
  /** Ends it; no call of the callback begins afterwards. Idempotent. */
  unsubscribe(): void;
}

export interface StoreStats {
  /** Live entries in this view. */
  readonly keys: number;
  /** Those of them with a deadline. */
  readonly expiring: number;
  /** Those of them with the policy `"evict"`. */
  readonly evictable: number;
  /** Bytes their payloads take, if the backend reports them. */
  readonly bytes?: number;
  /** What the engine reports about itself: name, version, memory, … */
  readonly backend: Readonly<Record<string, string | number>>;
}

/** An entry of `setMany`. Its own options override the common ones. */
export type SetTuple<I> =
  | readonly [key: string, value: I]
  | readonly [key: string, value: I, options: SetOptions | undefined];

export type AtomicResult =
  /** Everything was applied. `revisions` has the new revision of each key that was set or incremented. */
  | { readonly ok: true; readonly revisions: ReadonlyMap<string, string> }
  /** Nothing was applied. `failed` has the keys whose check did not hold. */
  | { readonly ok: false; readonly failed: readonly string[] };

/**
 * Builds a commit: all or nothing, within one namespace, even if the process crashes. Checks see the state before;
 * several mutations of one key apply in call order. A refusal (a bad key, value or option) rejects `commit()`, with
 * nothing written.
 */
export interface Atomic<I> {
  /** The commit happens only if the key's revision is this one; `null`: only if the key is absent. */
  check(key: string, revision: string | null): this;
  set(key: string, value: I, options?: Omit<SetOptions, "signal">): this;
  delete(key: string): this;
  increment(key: string, by?: number, options?: Omit<IncrementOptions, "signal">): this;
  /** Once only. An empty commit succeeds. */
  commit(options?: SignalOptions): Promise<AtomicResult>;
}

/**
 * The view that a transaction's function works with: reads go to the store, writes are buffered, and later reads see
 * the buffered writes.
 */
export interface Transaction<V, I = V> {
  get(key: string): Promise<V | undefined>;
  get<F>(key: string, fallback: F): Promise<V | F>;
  /** @throws KvError `KV_NOT_FOUND` */
  getOrThrow(key: string): Promise<V>;
  getMany(keys: Iterable<string>): Promise<(V | undefined)[]>;
  has(key: string): Promise<boolean>;
  set(key: string, value: I, options?: Omit<SetOptions, "signal">): void;
  delete(key: string): void;
  /** Reads the number (absent: 0), buffers the sum and returns it. Keeps an existing deadline. */
  increment(key: string, by?: number, options?: Omit<IncrementOptions, "signal">): Promise<number>;
}

export interface TransactionOptions extends SignalOptions {
  /** How often the function may run before `KV_CONFLICT`. Default: 100. */
  readonly attempts?: number | undefined;
}

/**
 * The reading half of a store. Every refusal is a rejected promise (for an iterable, at its first `next()`), never a
 * synchronous throw. Beside the codes named at each method, every method may reject with `KV_INVALID_KEY`,
 * `KV_INVALID_OPTION`, `KV_CLOSED`, `KV_UNAVAILABLE`, `KV_TIMEOUT`, `KV_ABORTED`, `KV_CORRUPT` and `KV_BACKEND`.
 */
export interface StoreReader<V = unknown> {
  /** What the backend promises. */
  readonly capabilities: Capabilities;
  /** The value, or `undefined` (or `fallback`) if the key is absent. `null`, `false`, `0` and `""` are values. */
  get(key: string): Promise<V | undefined>;
  get<F>(key: string, fallback: F, options?: SignalOptions): Promise<V | F>;
  /** @throws KvError `KV_NOT_FOUND` if the key is absent */
  getOrThrow(key: string, options?: SignalOptions): Promise<V>;
  /** The values, aligned with `keys`. */
  getMany(keys: Iterable<string>, options?: SignalOptions): Promise<(V | undefined)[]>;
  getEntry(key: string, options?: SignalOptions): Promise<Entry<V> | undefined>;
  getMetadata(key: string, options?: SignalOptions): Promise<Metadata | undefined>;
  has(key: string, options?: SignalOptions): Promise<boolean>;

  /** In key order, which is the order of the keys' UTF-8 bytes. A key that exists throughout is yielded exactly once. */
  keys(selector?: Selector): AsyncIterableIterator<string>;
  values(selector?: Selector): AsyncIterableIterator<V>;
  entries(selector?: Selector): AsyncIterableIterator<Entry<V>>;
  /** `start` included, `end` excluded; without `end`, every key that begins with `start`. */
  range(start: string, end?: string, options?: RangeOptions): Promise<[key: string, value: V][]>;
  page(selector?: PageSelector): Promise<Page<V>>;
  count(selector?: Selector): Promise<number>;

  /** The paths below this namespace that hold at least one live entry, relative to it and sorted by segments. */
  listNamespaces(options?: ListNamespacesOptions): Promise<string[][]>;
  /** Counts over this view. */
  stats(options?: SignalOptions): Promise<StoreStats>;
  /** Resolves to the milliseconds that the backend took to answer. */
  ping(options?: SignalOptions): Promise<number>;

  /**
   * Reports changes from the call on. Changes of one key come in order, and the last state of every key always arrives;
   * a slow consumer may miss states in between. Ends when the `signal` is aborted, the loop is left, or the store is
   * closed. A backend behind a network takes a moment to begin, and writes in that moment are missed: `subscribe`
   * resolves when it is over.
   * @throws KvError `KV_UNSUPPORTED` if `capabilities.watch` is `false`
   */
  watch(selector?: WatchSelector): AsyncIterableIterator<Change<V>>;
  /** The same by callback; resolves once no later change can be missed. An error of the callback does not stop other subscribers. */
  subscribe(callback: (change: Change<V>) => unknown, selector?: WatchSelector): Promise<Subscription>;

  /** An isolated keyspace below this one. Any two different paths are isolated. */
  namespace(...path: string[]): StoreReader<V>;
  /** A view of the same namespace under `prefix` and a colon: `scope("user")` reads `"1"` as `"user:1"`. */
  scope(prefix: string): StoreReader<V>;
  /** Changes only the types; nothing is checked at run time. */
  typed<T>(): StoreReader<T>;
  /** Validates values on reading (and, in a store, on writing) with any Standard Schema: zod, valibot, arktype, … */
  typed<S extends StandardSchemaV1>(schema: S): StoreReader<StandardSchemaV1.InferOutput<S>>;
  readonly(): StoreReader<V>;
}

/**
 * A key-value store: the contract, whatever the backend. `V` is the type that is read, `I` the type that may be written
 * (they differ if a schema fills in defaults). A lost race is a return value, a fault is an exception. Beside the
 * reader's codes, writes may reject with `KV_INVALID_VALUE`, `KV_INVALID_TTL`, `KV_READ_ONLY` and `KV_CAPACITY`.
 *
 * Operations on one key, made through one store object, take effect in the order of the calls, awaited or not.
 */
export interface Store<V = unknown, I = V> extends StoreReader<V>, AsyncDisposable {
  /** Replaces value, user metadata, policy and deadline as a whole. Returns the new revision. `createdAt` stays. */
  set(key: string, value: I, options?: SetOptions): Promise<string>;
  /**
   * Sets tuples from an array, a Map or any iterable. Returns their revisions. All are validated before the first is
   * written; not atomic.
   */
  setMany(entries: Iterable<SetTuple<I>>, options?: SetOptions): Promise<string[]>;
  /** `set` with the policy `"evict"`. */
  setCache(key: string, value: I, options?: Omit<SetOptions, "policy">): Promise<string>;
  /** Returns the revision, or `undefined` if the key exists. */
  create(key: string, value: I, options?: Omit<SetOptions, "keepTtl">): Promise<string | undefined>;
  /** Returns the revision, or `undefined` if the entry was changed or removed. */
  replace(key: string, value: I, options: ReplaceOptions): Promise<string | undefined>;
  /**
   * Reads, applies `fn`, writes if nothing changed in between, else tries again. Returns the value that was written. If
   * `fn` returns `undefined`, the key is deleted. The options are those of `set`: without a TTL or `keepTtl` an earlier
   * deadline is cleared.
   * @throws KvError `KV_CONFLICT` after `attempts`; whatever `fn` throws
   */
  update(
    key: string,
    fn: (value: V | undefined) => I | undefined | Promise<I | undefined>,
    options?: UpdateOptions,
  ): Promise<I | undefined>;
  /**
   * Returns the new number. An absent key counts from 0, and the options apply to that first write only.
   * @throws KvError `KV_INVALID_VALUE` if the value is not a number, or the sum is not finite or beyond 2^53
   */
  increment(key: string, by?: number, options?: IncrementOptions): Promise<number>;
  /** Reads and deletes in one step: of several concurrent calls, one gets the value. */
  take(key: string, options?: SignalOptions): Promise<V | undefined>;
  /** Returns whether the key existed (with `revision`: at that revision). */
  delete(key: string, options?: DeleteOptions): Promise<boolean>;
  /** Returns how many of the keys existed. */
  deleteMany(keys: Iterable<string>, options?: SignalOptions): Promise<number>;
  /** Sets a new TTL, or none (`null`). Returns whether the key existed. Not a write: revision and `updatedAt` stay. */
  updateTtl(key: string, ttl: Duration | null, options?: SignalOptions): Promise<boolean>;
  /** Returns whether the key existed. Not a write: revision and `updatedAt` stay. */
  updatePolicy(key: string, policy: Policy, options?: SignalOptions): Promise<boolean>;
  /** Removes the selected entries, in this namespace and scope only. Returns how many. Millions may need a longer `timeout`. */
  clear(selector?: ClearSelector): Promise<number>;
  /** Removes the entries with the policy `"evict"`, in this namespace and scope only. Returns how many. */
  clearCache(options?: SignalOptions): Promise<number>;
  /** Reclaims the space of expired entries now, in the whole backend. Returns how many were removed. */
  sweep(options?: SignalOptions): Promise<number>;

  atomic(): Atomic<I>;
  /**
   * Runs `fn` with a view of its own and commits what it buffered if nothing it read has changed; else runs it again.
   * @throws KvError `KV_CONFLICT` after `attempts`; whatever `fn` throws; nothing was written then
   */
  transaction<R>(fn: (tx: Transaction<V, I>) => R | Promise<R>, options?: TransactionOptions): Promise<R>;

  /**
   * Waits for accepted work, then releases what the adapter opened. A second call is a no-op; any later operation is
   * refused with `KV_CLOSED`. Transactions and updates that have begun are finished if their functions take no longer
   * than `timeout`. A no-op on a view (`namespace`, `scope`, `typed`): only the root closes.
   */
  close(): Promise<void>;

  namespace(...path: string[]): Store<V, I>;
  scope(prefix: string): Store<V, I>;
  typed<T>(): Store<T>;
  typed<S extends StandardSchemaV1>(
    schema: S,
  ): Store<StandardSchemaV1.InferOutput<S>, StandardSchemaV1.InferInput<S>>;
  /** A view that only reads: its type has no writing methods, and calling one anyway rejects with `KV_READ_ONLY`. */
  readonly(): StoreReader<V>;
}
