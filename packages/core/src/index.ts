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
export { type Life, lifeOf } from "./adapter-life.ts";
export { isBytes, isError, isPromise, isUrl } from "./any-realm.ts";
export { type AppliedCommit, applied, type CommitGround } from "./applied-commit.ts";
export { inThisContext } from "./async-context.ts";
export type { Capabilities } from "./capabilities.ts";
export { after, rescued } from "./chain.ts";
export { type Codec, json, originated, structured } from "./codec.ts";
export { CorruptEntry } from "./corrupt-entry.ts";
export { type CreateStoreOptions, createStore } from "./create-store.ts";
export type { Deadline, PendingDeadline, PlannedCommit, PlannedMutation, PlannedSet } from "./deadline.ts";
export { type Duration, type DurationObject, milliseconds } from "./duration.ts";
export { KV_ERROR_CODES, KvError, type KvErrorCode, type KvErrorOptions, Refusal } from "./errors.ts";
export { textOfJson } from "./json-value.ts";
export { compareKeys, inBounds, MAX_KEY_BYTES, utf8Length } from "./key.ts";
export { asForm } from "./middleware/as-form.ts";
export { type BoundedOptions, bounded } from "./middleware/bounded.ts";
export type { EvictReason } from "./middleware/bounds-ledger.ts";
export { type CompressionAlgorithm, type CompressionOptions, compression } from "./middleware/compression.ts";
export { type EncryptionOptions, encryption } from "./middleware/encryption.ts";
export type { OnEvict } from "./middleware/eviction.ts";
export {
  type DegradeOptions,
  type FailOptions,
  type FallbackOptions,
  fallback,
} from "./middleware/fallback.ts";
export { forward } from "./middleware/forward.ts";
export type { EncryptionKey } from "./middleware/key-ring.ts";
export { type LoggingOptions, type LogLevel, type LogRecord, logging } from "./middleware/logging.ts";
export type { AdapterOperation } from "./middleware/observation.ts";
export type {
  HistogramLike,
  MeterLike,
  SpanAttributes,
  SpanLike,
  TracerLike,
} from "./middleware/opentelemetry.ts";
export type { BackendState, OnStateChange } from "./middleware/outage.ts";
export { type RetryOptions, retry } from "./middleware/retry.ts";
export { type SizeLimitOptions, sizeLimit } from "./middleware/size-limit.ts";
export { type TimeoutOptions, timeout } from "./middleware/timeout.ts";
export { type TracingOptions, tracing } from "./middleware/tracing.ts";
export { namespaceFromId, namespaceOf } from "./namespace.ts";
export { addToNumber } from "./number.ts";
export { refuseUnknownOptions } from "./options.ts";
export {
  backgroundInterval,
  delay,
  endOfTick,
  inTime,
  isMilliseconds,
  monotonicNow,
  nextTurn,
  type Timer,
  timer,
  turn,
} from "./platform.ts";
export { type LocalClocks, ServerClock } from "./server-clock.ts";
export { SessionRevisions } from "./session-revisions.ts";
export { SliceSize } from "./slice-size.ts";
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
export { structuredCopy } from "./structured-value.ts";
export {
  type OrderedOperation,
  type ViewAccess,
  type ViewOperation,
  viewAccess,
  type WriteEnvelope,
} from "./view-access.ts";
export { Watchers } from "./watchers.ts";
