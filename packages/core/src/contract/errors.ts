import { branded } from "./brand.ts";

/**
 * What went wrong, as a word that code may branch on. Codes follow semantic versioning, messages do not.
 *
 * | code | meaning |
 * |---|---|
 * | `KV_NOT_FOUND` | `getOrThrow` found no live entry |
 * | `KV_INVALID_KEY` | a key, scope prefix or namespace segment that no store accepts |
 * | `KV_INVALID_VALUE` | a value the codec cannot give back equal, or that a schema refuses, or no number in `increment` |
 * | `KV_INVALID_TTL` | a duration or deadline that is none |
 * | `KV_INVALID_OPTION` | an unknown option, or a known one with an impossible value |
 * | `KV_CLOSED` | the store was closed before the call |
 * | `KV_UNSUPPORTED` | the backend cannot give this promise; its `capabilities` say so |
 * | `KV_READ_ONLY` | a write through a read-only view or onto a read-only backend |
 * | `KV_CONFLICT` | every attempt of an `update` or `transaction` lost against another writer |
 * | `KV_CAPACITY` | the backend is full, or the value exceeds a size limit |
 * | `KV_UNAVAILABLE` | the backend cannot be reached, or is held by somebody else |
 * | `KV_TIMEOUT` | no answer within the store's `timeout` |
 * | `KV_ABORTED` | the caller's `signal` was aborted |
 * | `KV_CORRUPT` | what is stored cannot be decoded |
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
  /** What was wrong and what to do about it, without adapter, operation and key: those are put in front. */
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
   * Whether the same call may succeed later, unchanged. Of a write that may have been done already it is to be
   * false. Default: true for `KV_UNAVAILABLE` and `KV_TIMEOUT`.
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
  /** Whether the same call may succeed later, unchanged. Of a write that may have been done already it is false. */
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
   * Whether `error` is a `KvError`, optionally of one code: also one that another copy of @kv/core made (an adapter that
   * depends on another version), or that was made in another realm (a test runner's context).
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
 * A refusal found below the front (a key, a value, an option), before it is known which operation of which adapter it
 * belongs to. The front turns it into a `KvError` with both; adapters may throw it from `open`, too. As with `KvError`,
 * `instanceof` holds for the refusals of every copy of @kv/core.
 */
export class Refusal extends Error {
  static {
    branded(Refusal, "Refusal");
  }

  readonly code: KvErrorCode;
  readonly retryable: boolean | undefined;
  /**
   * Of `KV_UNAVAILABLE`: whether the backend is well, and somebody else's alone, who goes on changing it. Nobody else may
   * then stand in for it as for one that is down.
   */
  readonly held: boolean;
  /** The key concerned as it is stored, its scope's prefix included, where it is not the operation's own. */
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
