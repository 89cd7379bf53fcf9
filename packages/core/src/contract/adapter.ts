import type { Capabilities } from "./capabilities.ts";
import type { KvErrorCode } from "./errors.ts";

/** A result now, or a promise of it. What is at hand is returned as it is: the front then neither waits nor batches. */
export type MaybePromise<T> = T | Promise<T>;

/** Results in pages, in order. Synchronous where the driver is. A consumer that stops early calls `return()`, which must free everything. */
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
 * What the codec made of a value. Adapters of the form `"text"` get and return strings and `Uint8Array`s; adapters of
 * the form `"value"` also get plain JSON values (objects, arrays, numbers, booleans, `null`), already copied for them.
 */
export type Payload = unknown;

/**
 * An entry as an adapter returns it: immutable, and not touched again by the adapter after it was handed out. Its
 * fields may be getters of a class that computes them when asked: read them by name, a spread (`{ ...entry }`) finds none.
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
  /** Bytes of the payload as stored, where the backend knows. */
  readonly size: number | undefined;
}

/** Half-open, in UTF-8 byte order of keys: `start <= key < end`. Bounds may be strings that no key equals (empty, or ending in NUL). */
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
  /** Only `key` is looked at in the answer: whatever is cheapest may stand in the other fields. */
  readonly keysOnly: boolean;
  /** Only `key`, `payload` and `encoding` are looked at. A hint: what else stands in the entries does no harm. */
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
  /** Absolute deadline in milliseconds since 1970 (a past one leaves the key absent), `undefined` for none, `"keep"` for the one a live entry has. */
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
 * otherwise): it keeps deadline, policy and user metadata. An absent one counts from 0 and gets those given here.
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

/** What became of one mutation, in the order of `Commit.mutations`. */
export interface Outcome {
  /** The new revision, of a set or an increment. */
  readonly revision?: string;
  /** Whether a live entry was there before, of a delete or a touch. */
  readonly existed?: boolean;
  /** The new number, of an increment. */
  readonly value?: number;
}

export type CommitResult =
  | { readonly status: "ok"; readonly outcomes: readonly Outcome[] }
  /** Nothing was applied: these keys' checks did not hold (each once, in the order of the checks). */
  | { readonly status: "conflict"; readonly failed: readonly string[] }
  /** Nothing was applied: the entry to increment holds no number of the encoding `"json"`, or the sum is none (`addToNumber` tells). */
  | { readonly status: "not-a-number"; readonly key: string }
  /** Nothing was applied: this commit failed by itself, while others of the batch did not. */
  | { readonly status: "error"; readonly error: unknown };

export type StoredChange =
  | { readonly type: "set" | "touch"; readonly key: string; readonly entry: StoredEntry }
  /** `"expire"`: its deadline passed. A write that gave it a deadline in the past may be told as either. */
  | { readonly type: "delete" | "expire"; readonly key: string }
  /** Changes may have been missed: what the watcher knows must be read again. */
  | { readonly type: "resync" };

/** Told of changes in the order in which they took effect. Never throws. */
export type ChangeListener = (changes: readonly StoredChange[]) => void;

export interface AdapterStats {
  /** Live entries. */
  readonly keys: number;
  /** Those of them with a deadline. */
  readonly expiring: number;
  /** Those of them with the policy `"evict"`. */
  readonly evictable: number;
  /** Bytes their payloads take, where the backend knows. */
  readonly bytes: number | undefined;
  /** The engine behind: its name and version, memory in use, path, … as it reports them. Never a password. */
  readonly backend: Readonly<Record<string, string | number>>;
}

/**
 * What a backend must do: so little that it can be read in one sitting. Validation, codecs, scopes, durations, program
 * order, batching, open/close state, timeouts and error wrapping are the front's and are written once, there.
 *
 * Rules for every method:
 * - Keys, ranges and mutations are valid when they arrive. Keys are well-formed strings of 1 to 1,024 UTF-8 bytes.
 * - An entry whose deadline is at or before `clock()` is absent for every method, whether it was swept or not.
 * - The driver's errors are thrown or rejected as they are; the front wraps them once, asking `errorCode`.
 *   A `Refusal` may be thrown where the adapter itself knows best what was wrong and what to do.
 * - Nothing but `open` and `close` is called before `open` succeeded or after `close` began.
 *   `open` may be called again after it failed, so it releases what it had when it fails.
 * - An adapter closes only what it opened, never a client it was handed.
 * - Its sockets and timers keep no process alive: the front holds it while a call is under way or something is watched.
 * - Its pauses and clocks are those of this package (`timer`, `delay`, `monotonicNow`), which no test has faked.
 */
export interface Adapter {
  /** The backend's name as it appears in errors, e.g. `"sqlite"`. */
  readonly name: string;
  /**
   * What payloads it wants. `"text"`: strings and bytes only. `"value"`: JSON values as they are, beside strings and
   * bytes. Either way the front copies: what it gives is the adapter's, and what it gets it does not change.
   */
  readonly form: "text" | "value";
  readonly capabilities: Capabilities;
  /**
   * `true`: calls of one tick are collected and handed over as one; `false`: every call is handed over at once.
   * At once is right where the driver answers synchronously and a batch gains nothing.
   */
  readonly batch: { readonly read: boolean; readonly commit: boolean };
  /**
   * What the backend offers beyond this contract, for the package that made it: see `viewAccess`. `forward` hands it on;
   * a wrapper that changes payloads, or measures them, must hide it (`native: undefined`): what goes this way goes past it.
   */
  readonly native?: unknown;
  /** Milliseconds since 1970: the clock that deadlines are compared with. */
  readonly clock: () => number;
  /**
   * Present where `clock` is a server's and so is only as good as its last measurement. The front calls it, once the
   * adapter is open, before it computes a deadline from `clock()`. `undefined`: `clock()` is right as it is; else a
   * promise after which it is.
   */
  readonly syncClock?: (() => Promise<void> | undefined) | undefined;
  /** Never called again while it is under way, also where a store gave it up: so it has to settle, sooner or later. */
  open(): MaybePromise<void>;
  close(): MaybePromise<void>;
  /**
   * The live entries under `keys`, aligned with them; `undefined` where there is none. With `payloadsOnly` only `key`,
   * `payload` and `encoding` are looked at: a hint, to be used where it saves something.
   */
  read(
    namespace: Namespace,
    keys: readonly string[],
    payloadsOnly?: boolean,
  ): MaybePromise<(StoredEntry | undefined)[]>;
  /**
   * The same without payloads, which nobody looks at in the answer: for `has` and `getMetadata`. Present only where that
   * saves something. A wrapper may leave it out, and `forward` does: who reads otherwise peeks otherwise, too.
   */
  readonly peek?:
    | ((namespace: Namespace, keys: readonly string[]) => MaybePromise<(StoredEntry | undefined)[]>)
    | undefined;
  /**
   * Applies the commits in order, each all-or-nothing by itself, and answers in that order. The array is only a batch:
   * one failing commit takes no other with it. Rejects when it is not known that none was applied, or when none was.
   */
  commit(namespace: Namespace, commits: readonly Commit[]): MaybePromise<CommitResult[]>;
  /** The live entries of a range in key order, as pages of moderate size (256 or so), at most `range.limit` of them. */
  scan(namespace: Namespace, range: Range): Pages<StoredEntry>;
  /** How many live entries lie within the bounds. */
  count(namespace: Namespace, bounds: Bounds): MaybePromise<number>;
  /** Removes what the filter names, → how many live entries that were. */
  clear(namespace: Namespace, filter: Filter): MaybePromise<number>;
  /** The namespaces below this one, at any depth, that hold at least one live entry. In any order, each once. */
  namespaces(under: Namespace): Pages<Namespace>;
  /**
   * Calls the listener for every later change within the bounds. Resolves, once no later change can be missed, to a
   * function that ends it: whoever reads then is told of whatever that read does not show, also of a write that was
   * under way. Absent where `capabilities.watch` is `false`. With `othersOnly` the changes that are made through this
   * adapter need not be told: a hint, to be used where it saves something.
   */
  watch?(
    namespace: Namespace,
    bounds: Bounds,
    listener: ChangeListener,
    othersOnly?: boolean,
  ): MaybePromise<() => void>;
  stats(namespace: Namespace, bounds: Bounds): MaybePromise<AdapterStats>;
  /** Reclaims the space of expired entries, in slices that leave the event loop alive, → how many were removed. */
  sweep(): MaybePromise<number>;
  /** What a driver's error means; `undefined`: `KV_BACKEND`. */
  errorCode(error: unknown): KvErrorCode | undefined;
}

/** An adapter over an adapter. */
export type Middleware = (inner: Adapter) => Adapter;
