export type {
  Adapter,
  AdapterStats,
  Bounds,
  ChangeListener,
  Check,
  Commit,
  CommitResult,
  DeleteMutation,
  Filter,
  IncrementMutation,
  MaybePromise,
  Middleware,
  Mutation,
  Namespace,
  Outcome,
  Pages,
  Payload,
  Policy,
  Range,
  SetMutation,
  StoredChange,
  StoredEntry,
  TouchMutation,
} from "./adapter.ts";
export type { Capabilities } from "./capabilities.ts";
export { type Codec, json, structured } from "./codec.ts";
export { type CreateStoreOptions, createStore } from "./create-store.ts";
export { type Duration, type DurationObject, milliseconds } from "./duration.ts";
export { KV_ERROR_CODES, KvError, type KvErrorCode, type KvErrorOptions, Refusal } from "./errors.ts";
export { compareKeys, inBounds, MAX_KEY_BYTES, utf8Length } from "./key.ts";
export { namespaceFromId, namespaceOf } from "./namespace.ts";
export { addToNumber } from "./number.ts";
export { refuseUnknownOptions } from "./options.ts";
export type {
  Atomic,
  AtomicResult,
  Bounded,
  Change,
  ClearSelector,
  DeleteOptions,
  Entry,
  IncrementOptions,
  ListNamespacesOptions,
  Metadata,
  OnCorrupt,
  Page,
  PageSelector,
  RangeOptions,
  ReplaceOptions,
  Selector,
  SetOptions,
  SetTuple,
  SignalOptions,
  Store,
  StoreReader,
  StoreStats,
  Subscription,
  Transaction,
  TransactionOptions,
  UpdateOptions,
  UserMetadata,
  WatchSelector,
} from "./store.ts";
export { Watchers } from "./watchers.ts";
