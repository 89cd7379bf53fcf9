import type { Adapter } from "../adapter.ts";
import { KvError, type KvErrorCode, Refusal } from "../errors.ts";

/** What a failure of an adapter means. */
export function codeOf(adapter: Adapter, error: unknown): KvErrorCode {
  if (error instanceof Refusal || KvError.is(error)) return error.code;
  return adapter.errorCode(error) ?? "KV_BACKEND";
}

/** Whether the backend could not be reached, or did not answer in time. */
export function isOutage(code: KvErrorCode): boolean {
  return code === "KV_UNAVAILABLE" || code === "KV_TIMEOUT";
}

/** Whether the same call may succeed later, unchanged. */
export function isRetryable(adapter: Adapter, error: unknown): boolean {
  const told = error instanceof Refusal || KvError.is(error) ? error.retryable : undefined;
  return told ?? isOutage(codeOf(adapter, error));
}

/** Why an entry cannot be read; what is a reason already stays as it is. */
export function corrupt(message: string, cause?: unknown): Refusal {
  if (cause instanceof Refusal) return cause;
  return new Refusal("KV_CORRUPT", message, cause === undefined ? {} : { cause });
}
