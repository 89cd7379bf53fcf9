import type { Capabilities } from "./capabilities.ts";
import type { KvErrorCode } from "./errors.ts";

/** A result now, or a promise of it. A result at hand is returned itself: the front then neither waits nor batches. */
export type MaybePromise<T> = T | Promise<T>;

/**
 * Results in pages, in order. Synchronous if the driver is. A consumer that stops early calls `return()`, which must
 * free everything.
 */
export type Pages<T> = Iterable<readonly T[]> | AsyncIterable<readonly T[]>;

/** Whether `clearCache()` may remove an entry (`"evict"`) or not (`"persist"`). Independent of its deadline. */
export type Policy = "persist" | "evict";

/** An isolated keyspace of the backend. */
export interface Namespace {
  /** The segments; empty for the root. Any well-formed, non-empty strings. */
  readonly path: readonly string[];
  /**
   * The path as one string: every segment followed by `/`, with `~` written `~0` and `/` written `~1` inside a segment.
   * Two different paths have two different ids, the root's is `""`, and an id is a prefix of its descendants' ids.
   */
  readonly id: string;
}

/**
 * A value as its codec encoded it. Adapters of the form `"text"` get and return strings and `Uint8Array`s; adapters of
 * the form `"value"` also get plain JSON values (objects, arrays, numbers, booleans, `null`), already copied for them.
 */
export type Payload = unknown;

/**
 * An entry as an adapter returns it: immutable, and not touched again by the adapter after it was handed out. Its
 * fields may be getters of a class that computes them on access: read them by name, since a spread (`{ ...entry }`)
 * copies none.
 */
export interface StoredEntry {
  readonly key: string;
  readonly payload: Payload;
  /** Which codec wrote the payload: `"json"`, `"bytes"`, `"structured"`, or a custom codec's name. */
  readonly encoding: string;
  /** Differs after every write of the key, deletion and re-creation included. Non-empty. */
  readonly revision: string;
  /** Milliseconds since 1970 of the write that made the key exist. */
  readonly createdAt: number;
  /** Milliseconds since 1970 of the last write. */
  readonly updatedAt: number;
  /** Milliseconds since 1970 from which on the entry is absent; `undefined`: never. */
  readonly expiresAt: number | undefined;
  readonly policy: Policy;
  /** The user's own metadata as JSON text. */
  readonly user: string | undefined;
  /** Bytes of the payload as stored, if the backend reports them. */
  readonly size: number | undefined;
}

/**
 * Half-open, in UTF-8 byte order of keys: `start <= key < end`. Bounds may be strings that no key equals (empty, or
 * ending in NUL).
 */
export interface Bounds {
  /** First key included; `""`: from the beginning. */
  readonly start: string;
  /** First key excluded; `undefined`: to the end. */
  readonly end: string | undefined;
}

export interface Range extends Bounds {
  /** Descending key order. */
  readonly reverse: boolean;
  /** At most so many entries: a non-negative integer or `Infinity`. */
  readonly limit: number;
  /** The caller reads only `key` of each entry: the other fields may hold whatever is cheapest. */
  readonly keysOnly: boolean;
  /** The caller reads only `key`, `payload` and `encoding`. A hint: the other fields may be filled as usual. */
  readonly payloadsOnly?: boolean | undefined;
}

/** What `clear` removes. */
export interface Filter extends Bounds {
  /** Only entries of this policy. */
  readonly policy: Policy | undefined;
  /** Also the entries of all namespaces below this one, whatever the bounds (which are then unlimited). */
  readonly descendants: boolean;
}

/** Holds when the key's live entry has this revision; `null`: when there is no live entry. */
export interface Check {
  readonly key: string;
  readonly revision: string | null;
}

export interface SetMutation {
  readonly type: "set";
  readonly key: string;
  readonly payload: Payload;
  readonly encoding: string;
  /**
   * Absolute deadline in milliseconds since 1970 (a past one leaves the key absent), `undefined` for none, `"keep"` for
   * the live entry's own.
   */
  readonly expiresAt: number | "keep" | undefined;
  readonly policy: Policy;
  readonly user: string | undefined;
}

export interface DeleteMutation {
  readonly type: "delete";
  readonly key: string;
}

/**
 * Adds to a number. A live entry must have the encoding `"json"` and hold a number (the outcome is `"not-a-number"`
 * otherwise): it keeps deadline, policy and user metadata. An absent entry counts from 0 and gets those given here.
 */
export interface IncrementMutation {
  readonly type: "increment";
  readonly key: string;
  readonly by: number;
  readonly expiresAt: number | undefined;
  readonly policy: Policy;
  readonly user: string | undefined;
}

/** Changes deadline or policy of a live entry, and nothing else: revision and `updatedAt` stay. */
export interface TouchMutation {
  readonly type: "touch";
  readonly key: string;
  /** The new deadline, `null` for none; `undefined` leaves it. */
  readonly expiresAt: number | null | undefined;
  /** The new policy; `undefined` leaves it. */
  readonly policy: Policy | undefined;
}

export type Mutation = SetMutation | DeleteMutation | IncrementMutation | TouchMutation;

/** All or nothing: every check holds on the state before, then every mutation is applied in order; or nothing is. */
export interface Commit {
  readonly checks: readonly Check[];
  readonly mutations: readonly Mutation[];
}

/** The result of one mutation, in the order of `Commit.mutations`. */
export interface Outcome {
  /** The new revision, for a set or an increment. */
  readonly revision?: string;
  /** Whether there was a live entry before, for a delete or a touch. */
  readonly existed?: boolean;
  /** The new number, for an increment. */
  readonly value?: number;
}

export type CommitResult =
  | { readonly status: "ok"; readonly outcomes: readonly Outcome[] }
  /** Nothing was applied: these keys' checks did not hold (each once, in the order of the checks). */
  | { readonly status: "conflict"; readonly failed: readonly string[] }
  /**
   * Nothing was applied: the entry to increment does not hold a number of the encoding `"json"`, or `addToNumber`
   * refuses the sum.
   */
  | { readonly status: "not-a-number"; readonly key: string }
  /** Nothing was applied: this commit failed alone, while others of the batch did not. */
  | { readonly status: "error"; readonly error: unknown };

export type StoredChange =
  | { readonly type: "set" | "touch"; readonly key: string; readonly entry: StoredEntry }
  /** `"expire"`: its deadline passed. A write that gave it a deadline in the past may be reported as either. */
  | { readonly type: "delete" | "expire"; readonly key: string }
  /** Changes may have been missed: the watcher must read its range again. */
  | { readonly type: "resync" };

/** Receives changes in the order in which they took effect. Must not throw. */
export type ChangeListener = (changes: readonly StoredChange[]) => void;

export interface AdapterStats {
  /** Live entries. */
  readonly keys: number;
  /** Those of them with a deadline. */
  readonly expiring: number;
  /** Those of them with the policy `"evict"`. */
  readonly evictable: number;
  /** Bytes their payloads take, if the backend reports them. */
  readonly bytes: number | undefined;
  /** The backend's engine: its name and version, memory in use, path, … as it reports them. Never a password. */
  readonly backend: Readonly<Record<string, string | number>>;
}

/**
 * What a backend must implement, short enough to be read in one sitting. Validation, codecs, scopes, durations, program
 * order, batching, open/close state, timeouts and error wrapping are written once, in the front.
 *
 * Rules for every method:
 * - Keys, ranges and mutations are valid when they arrive. Keys are well-formed strings of 1 to 1,024 UTF-8 bytes.
 * - An entry whose deadline is at or before `clock()` is absent for every method, whether it was swept or not.
 * - The driver's errors are thrown or rejected as they are; the front wraps them once, asking `errorCode`.
 *   An adapter may throw a `Refusal` if it knows best what was wrong and what to do.
 * - Nothing but `open` and `close` is called before `open` succeeded or after `close` began.
 *   `open` may be called again after it failed, so a failing `open` releases everything it had acquired.
 * - An adapter closes only what it opened, never a client that was passed to it.
 * - Its sockets and timers do not keep the process alive: the front does, during a call or a watch.
 * - Its pauses and clocks are those of this package (`timer`, `delay`, `monotonicNow`), which fake timers do not replace.
 */
export interface Adapter {
  /** The backend's name as it appears in errors, e.g. `"sqlite"`. */
  readonly name: string;
  /**
   * Which payloads it takes. `"text"`: strings and bytes only. `"value"`: also JSON values as they are. Either way the
   * front copies: the adapter owns what it receives, and the front never changes what the adapter returns.
   */
  readonly form: "text" | "value";
  readonly capabilities: Capabilities;
  /**
   * `true`: calls of one tick are collected and made as one; `false`: every call is made at once.
   * `false` is right if the driver answers synchronously and a batch gains nothing.
   */
  readonly batch: { readonly read: boolean; readonly commit: boolean };
  /**
   * What the backend offers beyond this contract, for the package that made it: see `viewAccess`. `forward` passes it
   * on; a wrapper that changes or measures payloads must hide it (`native: undefined`), because this access bypasses
   * the wrapper.
   */
  readonly native?: unknown;
  /** Milliseconds since 1970, by the clock that deadlines are compared with. */
  readonly clock: () => number;
  /**
   * Present if `clock` is a server's, and so only as good as its last measurement. The front calls it, once the adapter
   * is open, before it computes a deadline from `clock()`. Returns `undefined` if `clock()` is accurate now, else a
   * promise that resolves once it is.
   */
  readonly syncClock?: (() => Promise<void> | undefined) | undefined;
  /** Never called again while an earlier `open` is pending, even one that a store has given up: so it must settle eventually. */
  open(): MaybePromise<void>;
  close(): MaybePromise<void>;
  /**
   * The live entries under `keys`, aligned with them; `undefined` for an absent key. With `payloadsOnly` the caller
   * reads only `key`, `payload` and `encoding`: a hint, to be used if that is cheaper.
   */
  read(
    namespace: Namespace,
    keys: readonly string[],
    payloadsOnly?: boolean,
  ): MaybePromise<(StoredEntry | undefined)[]>;
  /**
   * The same without payloads, for `has` and `getMetadata`. Present only if that is cheaper. A wrapper may omit it, and
   * `forward` does: a wrapper that changes what `read` returns would have to change `peek` as well.
   */
  readonly peek?:
    | ((namespace: Namespace, keys: readonly string[]) => MaybePromise<(StoredEntry | undefined)[]>)
    | undefined;
  /**
   * Applies the commits in order, each all-or-nothing by itself, and answers in that order. The array is only a batch:
   * a failing commit does not fail the others. Rejects if no commit was applied, or if it is unknown which were.
   */
  commit(namespace: Namespace, commits: readonly Commit[]): MaybePromise<CommitResult[]>;
  /** The live entries of a range in key order, as pages of moderate size (256 or so), at most `range.limit` of them. */
  scan(namespace: Namespace, range: Range): Pages<StoredEntry>;
  /** How many live entries lie within the bounds. */
  count(namespace: Namespace, bounds: Bounds): MaybePromise<number>;
  /** Removes the entries that the filter names. Returns how many live entries were removed. */
  clear(namespace: Namespace, filter: Filter): MaybePromise<number>;
  /** The namespaces below this one, at any depth, that hold at least one live entry. In any order, each once. */
  namespaces(under: Namespace): Pages<Namespace>;
  /**
   * Calls the listener for every later change within the bounds. Resolves to a function that stops watching, once no
   * later change can be missed. After that, every change that a read does not reflect is reported, including writes in
   * flight. Absent if `capabilities.watch` is `false`. With `othersOnly`, changes made through this adapter need not be
   * reported: a hint, to be used if that is cheaper.
   */
  watch?(
    namespace: Namespace,
    bounds: Bounds,
    listener: ChangeListener,
    othersOnly?: boolean,
  ): MaybePromise<() => void>;
  stats(namespace: Namespace, bounds: Bounds): MaybePromise<AdapterStats>;
  /** Reclaims the space of expired entries, in slices that do not block the event loop. Returns how many were removed. */
  sweep(): MaybePromise<number>;
  /** The code of a driver's error; `undefined`: `KV_BACKEND`. */
  errorCode(error: unknown): KvErrorCode | undefined;
}

/** An adapter over an adapter. */
export type Middleware = (inner: Adapter) => Adapter;
