import { branded } from "./brand.ts";

/**
 * The kind of an error, for code to branch on. Codes follow semantic versioning, messages do not.
 *
 * | code | meaning |
 * |---|---|
 * | `KV_NOT_FOUND` | `getOrThrow` found no live entry |
 * | `KV_INVALID_KEY` | an invalid key, scope prefix or namespace segment |
 * | `KV_INVALID_VALUE` | a value the codec cannot give back equal, or that a schema refuses, or `increment` of something that is not a number |
 * | `KV_INVALID_TTL` | an invalid duration or deadline |
 * | `KV_INVALID_OPTION` | an unknown option, or a known one with an impossible value |
 * | `KV_CLOSED` | the store was closed before the call |
 * | `KV_UNSUPPORTED` | the backend does not have this capability; see `capabilities` |
 * | `KV_READ_ONLY` | a write through a read-only view or onto a read-only backend |
 * | `KV_CONFLICT` | every attempt of an `update` or `transaction` lost against another writer |
 * | `KV_CAPACITY` | the backend is full, or the value exceeds a size limit |
 * | `KV_UNAVAILABLE` | the backend cannot be reached, or another process holds it |
 * | `KV_TIMEOUT` | no answer within the store's `timeout` |
 * | `KV_ABORTED` | the caller's `signal` was aborted |
 * | `KV_CORRUPT` | the stored entry cannot be decoded |
 * | `KV_BACKEND` | any other failure of the backend; see `cause` |
 */
export const KV_ERROR_CODES = [
  "KV_NOT_FOUND",
  "KV_INVALID_KEY",
  "KV_INVALID_VALUE",
  "KV_INVALID_TTL",
  "KV_INVALID_OPTION",
  "KV_CLOSED",
  "KV_UNSUPPORTED",
  "KV_READ_ONLY",
  "KV_CONFLICT",
  "KV_CAPACITY",
  "KV_UNAVAILABLE",
  "KV_TIMEOUT",
  "KV_ABORTED",
  "KV_CORRUPT",
  "KV_BACKEND",
] as const;

export type KvErrorCode = (typeof KV_ERROR_CODES)[number];

export interface KvErrorOptions {
  /** What was wrong and what to do about it, without adapter, operation and key, which are prepended. */
  readonly message: string;
  /** The store operation that was refused or failed, e.g. `"set"`. */
  readonly operation: string;
  /** The adapter's name, e.g. `"sqlite"`. */
  readonly adapter: string;
  /** The key concerned, as the caller wrote it. */
  readonly key?: string | undefined;
  /** The driver's own error. */
  readonly cause?: unknown;
  /**
   * Whether the same call may succeed later, unchanged. Must be false for a write that may have been applied already.
   * Default: true for `KV_UNAVAILABLE` and `KV_TIMEOUT`.
   */
  readonly retryable?: boolean | undefined;
}

const RETRYABLE: ReadonlySet<KvErrorCode> = new Set(["KV_UNAVAILABLE", "KV_TIMEOUT"]);

/**
 * The one error class of @kv: everything a store rejects with is a `KvError`, except what the caller's own functions threw.
 * `error instanceof KvError` and `KvError.is(error)` hold for the errors of every copy of @kv/core in the program.
 */
export class KvError extends Error {
  static {
    branded(KvError, "KvError");
  }

  override readonly name = "KvError";
  readonly code: KvErrorCode;
  readonly operation: string;
  readonly adapter: string;
  readonly key: string | undefined;
  /** Whether the same call may succeed later, unchanged. False for a write that may have been applied already. */
  readonly retryable: boolean;

  constructor(code: KvErrorCode, options: KvErrorOptions) {
    const key = options.key === undefined ? "" : ` ${quoted(options.key)}`;
    super(
      `${options.adapter}.${options.operation}${key}: ${options.message}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.operation = options.operation;
    this.adapter = options.adapter;
    this.key = options.key;
    this.retryable = options.retryable ?? RETRYABLE.has(code);
  }

  /**
   * Whether `error` is a `KvError`, optionally with this code. True for errors of another copy of @kv/core (an adapter
   * that depends on another version) and of another realm (a test runner's context), too.
   */
  static is(error: unknown, code?: KvErrorCode): error is KvError {
    return error instanceof KvError && (code === undefined || error.code === code);
  }
}

/** A key as it is shown in messages: JSON-quoted, so that NUL and quotes are visible, and shortened past 120 characters. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 117)}...` : text);
}

/**
 * Refuses a key, a value or an option below the front, where the operation and the adapter are not known yet. The front
 * turns it into a `KvError` with both; adapters may throw it from `open`, too. As with `KvError`, `instanceof` holds
 * for the refusals of every copy of @kv/core.
 */
export class Refusal extends Error {
  static {
    branded(Refusal, "Refusal");
  }

  readonly code: KvErrorCode;
  readonly retryable: boolean | undefined;
  /**
   * For `KV_UNAVAILABLE`: true if the backend is healthy but held by another process that keeps writing. A fallback
   * must not take over then, as it would for a backend that is down.
   */
  readonly held: boolean;
  /** The key concerned as it is stored, its scope's prefix included, if it is not the operation's own key. */
  readonly key: string | undefined;

  constructor(
    code: KvErrorCode,
    message: string,
    options?: { key?: string; cause?: unknown; retryable?: boolean; held?: boolean },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Refusal";
    this.code = code;
    this.retryable = options?.retryable;
    this.held = options?.held ?? false;
    this.key = options?.key;
  }
}
