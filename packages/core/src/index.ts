export { addToNumber } from "./adapter-parts/add-to-number.ts";
export { type AppliedCommit, applied, type CommitGround } from "./adapter-parts/applied-commit.ts";
export { CorruptEntry } from "./adapter-parts/corrupt-entry.ts";
export type {
  Deadline,
  PendingDeadline,
  PlannedCommit,
  PlannedMutation,
  PlannedSet,
} from "./adapter-parts/deadline.ts";
export { forward } from "./adapter-parts/forward.ts";
export { type LocalClocks, ServerClock } from "./adapter-parts/server-clock.ts";
export { SessionRevisions } from "./adapter-parts/session-revisions.ts";
export { Watchers } from "./adapter-parts/watchers.ts";
export { refuseUnknownOptions } from "./arguments/unknown-options.ts";
export { type Life, lifeOf } from "./connection/shared-adapter.ts";
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
} from "./contract/adapter.ts";
export { isBytes, isError, isPromise, isUrl } from "./contract/any-realm.ts";
export type { Capabilities } from "./contract/capabilities.ts";
export { type Duration, type DurationObject, milliseconds } from "./contract/duration.ts";
export {
  KV_ERROR_CODES,
  KvError,
  type KvErrorCode,
  type KvErrorOptions,
  Refusal,
} from "./contract/errors.ts";
export { compareKeys, inBounds, MAX_KEY_BYTES, utf8Length } from "./contract/key.ts";
export { namespaceFromId, namespaceOf } from "./contract/namespace.ts";
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
} from "./contract/store.ts";
export { type CreateStoreOptions, createStore } from "./create-store.ts";
export { type BoundedOptions, bounded } from "./middleware/limits/bounded.ts";
export type { EvictReason } from "./middleware/limits/bounds-ledger.ts";
export type { OnEvict } from "./middleware/limits/eviction.ts";
export { type SizeLimitOptions, sizeLimit } from "./middleware/limits/size-limit.ts";
export {
  type LoggingOptions,
  type LogLevel,
  type LogRecord,
  logging,
} from "./middleware/observing/logging.ts";
export type { AdapterOperation } from "./middleware/observing/observation.ts";
export type {
  HistogramLike,
  MeterLike,
  SpanAttributes,
  SpanLike,
  TracerLike,
} from "./middleware/observing/opentelemetry.ts";
export { type TracingOptions, tracing } from "./middleware/observing/tracing.ts";
export {
  type DegradeOptions,
  type FailOptions,
  type FallbackOptions,
  fallback,
} from "./middleware/outages/fallback.ts";
export type { BackendState, OnStateChange } from "./middleware/outages/outage.ts";
export { type RetryOptions, retry } from "./middleware/outages/retry.ts";
export { type TimeoutOptions, timeout } from "./middleware/outages/timeout.ts";
export {
  type CompressionAlgorithm,
  type CompressionOptions,
  compression,
} from "./middleware/payloads/compression.ts";
export { type EncryptionOptions, encryption } from "./middleware/payloads/encryption.ts";
export type { EncryptionKey } from "./middleware/payloads/key-ring.ts";
export { asForm } from "./middleware/payloads/payload-form.ts";
export { inThisContext } from "./runtime/async-context.ts";
export { after, rescued } from "./runtime/maybe-promise.ts";
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
} from "./runtime/platform.ts";
export { SliceSize } from "./runtime/slice-size.ts";
export { type Codec, json, originated, structured } from "./values/codec.ts";
export { textOfJson } from "./values/json-value.ts";
export { structuredCopy } from "./values/structured-value.ts";
export {
  type OrderedOperation,
  type ViewAccess,
  type ViewOperation,
  viewAccess,
  type WriteEnvelope,
} from "./view-access.ts";
