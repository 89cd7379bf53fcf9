import { KvError } from "@kv/core";

/**
 * What a caller knows about an operation once it has settled. `failed`: it certainly had no effect. `unknown`: it may
 * have taken effect, may take effect later, or never. The store's error shows which.
 */
export type Verdict<T> =
  | { readonly is: "ok"; readonly value: T }
  | { readonly is: "failed" | "unknown"; readonly error: KvError };

/** Rejects if the operation rejected with anything but a `KvError`, which is a bug and not a verdict. */
export async function verdictOf<T>(operation: Promise<T>): Promise<Verdict<T>> {
  try {
    return { is: "ok", value: await operation };
  } catch (error) {
    if (!KvError.is(error)) throw error;
    return { is: leavesDoubt(error) ? "unknown" : "failed", error };
  }
}

/** Whether a write rejected with this error may have been applied. Not if it is retryable: a retry would apply it twice. */
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
