import type { Adapter } from "../contract/adapter.ts";
import { KvError, type KvErrorCode, Refusal } from "../contract/errors.ts";
import { messageOf, shown } from "../contract/shown.ts";
import { warn } from "../runtime/platform.ts";

const ADVICE: Partial<Record<KvErrorCode, string>> = {
  KV_UNAVAILABLE: "check that the backend is running and reachable",
  KV_CAPACITY: "free space, or raise the backend's limit",
  KV_CORRUPT: "restore the data from a backup, or delete it",
  KV_READ_ONLY: "open it with permission to write",
};

/** Wraps a thrown value as a `KvError`. A `KvError` is returned unchanged. */
export function failure(
  adapter: Adapter,
  error: unknown,
  operation: string,
  key: string | undefined,
): KvError {
  if (error instanceof KvError) return error;
  const { name } = adapter;
  if (error instanceof Refusal) {
    const { code, message, cause, retryable } = error;
    return new KvError(code, { message, operation, adapter: name, key, cause, retryable });
  }
  const code = codeOf(adapter, error);
  const advice = ADVICE[code];
  const what = withoutPassword(messageOf(error));
  const message = advice === undefined ? what : `${what}; ${advice}`;
  return new KvError(code, { message, operation, adapter: name, key, cause: error });
}

function codeOf(adapter: Adapter, error: unknown): KvErrorCode {
  try {
    return adapter.errorCode(error) ?? "KV_BACKEND";
  } catch (fault) {
    warn(`errorCode of the ${adapter.name} adapter threw ${shown(fault)}`);
    return "KV_BACKEND";
  }
}

/** Drivers quote addresses in their messages; the part between `//` and `@` may be a password. */
function withoutPassword(message: string): string {
  return message.replace(/(\/\/)[^\s/@]*@/g, "$1***@");
}
