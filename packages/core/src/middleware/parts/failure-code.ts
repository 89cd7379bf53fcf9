import type { Adapter } from "../../contract/adapter.ts";
import { KvError, type KvErrorCode, Refusal } from "../../contract/errors.ts";

/** The code of an adapter's failure. */
export function codeOf(adapter: Adapter, error: unknown): KvErrorCode {
  if (error instanceof Refusal || KvError.is(error)) return error.code;
  return adapter.errorCode(error) ?? "KV_BACKEND";
}

/** Which failures mean that a backend is down. */
export type IsOutage = (code: KvErrorCode, error: unknown) => boolean;

/** Whether the backend could not be reached, or did not answer in time. */
export function isOutage(code: KvErrorCode): boolean {
  return code === "KV_UNAVAILABLE" || code === "KV_TIMEOUT";
}

/** The same, except for a healthy backend that another process holds: a fallback would split the data in two. */
export function isDown(code: KvErrorCode, error: unknown): boolean {
  return isOutage(code) && !(error instanceof Refusal && error.held);
}

/** Whether the same call may succeed later, unchanged. */
export function isRetryable(adapter: Adapter, error: unknown): boolean {
  const told = error instanceof Refusal || KvError.is(error) ? error.retryable : undefined;
  return told ?? isOutage(codeOf(adapter, error));
}
