import { KvError } from "@kv/core";

/**
 * What a caller knows about an operation once it has settled. `failed`: it certainly had no effect. `unknown`: it may
 * have taken effect, may take effect later, or never; the store says so by what it rejects with.
 */
export type Verdict<T> =
  | { readonly is: "ok"; readonly value: T }
  | { readonly is: "failed" | "unknown"; readonly error: KvError };

/** Rejects where an operation rejected with anything but a `KvError`: that is no verdict but a bug. */
export async function verdictOf<T>(operation: Promise<T>): Promise<Verdict<T>> {
  try {
    return { is: "ok", value: await operation };
  } catch (error) {
    if (!KvError.is(error)) throw error;
    return { is: leavesDoubt(error) ? "unknown" : "failed", error };
  }
}

/** Whether a write that was rejected so may have been applied. What is retryable may not: a retry would apply it twice. */
function leavesDoubt({ code, retryable }: KvError): boolean {
  switch (code) {
    case "KV_UNAVAILABLE":
      return !retryable;
    case "KV_TIMEOUT":
    case "KV_ABORTED":
    case "KV_BACKEND":
      return true;
    default:
      return false;
  }
}
