import { isError, type KvErrorCode, Refusal } from "@kv/core";

const CODES: ReadonlyMap<string, KvErrorCode> = new Map([
  ["LEVEL_LOCKED", "KV_UNAVAILABLE"],
  ["LEVEL_CORRUPTION", "KV_CORRUPT"],
  ["LEVEL_DECODE_ERROR", "KV_CORRUPT"],
  ["LEVEL_IO_ERROR", "KV_UNAVAILABLE"],
  ["LEVEL_DATABASE_NOT_OPEN", "KV_UNAVAILABLE"],
  ["LEVEL_DATABASE_NOT_CLOSED", "KV_UNAVAILABLE"],
  ["LEVEL_ITERATOR_NOT_OPEN", "KV_UNAVAILABLE"],
  ["LEVEL_SNAPSHOT_NOT_OPEN", "KV_UNAVAILABLE"],
  ["LEVEL_BATCH_NOT_OPEN", "KV_UNAVAILABLE"],
  ["ENOSPC", "KV_CAPACITY"],
  ["EDQUOT", "KV_CAPACITY"],
  ["EFBIG", "KV_CAPACITY"],
]);

/** LevelDB's wording of errors of the file system and of its own; not all of them have a code. */
const MESSAGES: readonly (readonly [words: RegExp, code: KvErrorCode])[] = [
  [/no space left|quota exceeded|file too large|not enough space/i, "KV_CAPACITY"],
  [/^Corruption:/, "KV_CORRUPT"],
  // A read beyond the end of a table.
  [/^IO error: .*\.(ldb|sst): Invalid argument/, "KV_CORRUPT"],
  [/^IO error:/, "KV_UNAVAILABLE"],
];

export function errorCode(error: unknown): KvErrorCode | undefined {
  if (!isError(error)) return undefined;
  const worded = MESSAGES.find(([words]) => words.test(error.message));
  if (worded !== undefined && worded[1] !== "KV_UNAVAILABLE") return worded[1];
  // The driver reports "not open", and the reason as the cause.
  const deeper = error.cause === undefined ? undefined : errorCode(error.cause);
  if (deeper !== undefined) return deeper;
  const code = codeOf(error);
  if (code !== undefined) return CODES.get(code) ?? (/^E[A-Z]+$/.test(code) ? "KV_UNAVAILABLE" : worded?.[1]);
  return worded?.[1];
}

/** Whether the database is locked by another opener. */
export function isLocked(error: unknown): boolean {
  if (!isError(error)) return false;
  return codeOf(error) === "LEVEL_LOCKED" || isLocked(error.cause);
}

function codeOf(error: Error): string | undefined {
  return "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** A fault of the process and not of the database, with advice; other errors are returned unchanged. */
export function environmentFault(error: unknown): unknown {
  const reason = reasonOf(error);
  if (error instanceof Refusal || !/too many open files|EMFILE|ENFILE/i.test(reason)) return error;
  return new Refusal(
    "KV_UNAVAILABLE",
    `this process has too many files open (${reason}); close some, or raise its limit (ulimit -n)`,
    { cause: error },
  );
}

/** The reason why the database could not be opened, with advice; other errors are returned unchanged. */
export function openFault(cause: unknown, path: string): unknown {
  const error = environmentFault(cause);
  if (error instanceof Refusal) return error;
  const reason = reasonOf(error);
  switch (errorCode(error)) {
    case "KV_CAPACITY":
      return new Refusal("KV_CAPACITY", `no space left to open ${path}: ${reason}; free some`, {
        cause: error,
      });
    case "KV_CORRUPT":
      return new Refusal(
        "KV_CORRUPT",
        `the database ${path} is damaged (${reason}); restore it from a backup`,
        {
          cause: error,
        },
      );
    case "KV_UNAVAILABLE":
      return new Refusal(
        "KV_UNAVAILABLE",
        `cannot open the database ${path}: ${reason}; check that it is a directory which this process may write`,
        { cause: error },
      );
    default:
      return error;
  }
}

/** The innermost error's message. */
function reasonOf(error: unknown): string {
  if (!isError(error)) return String(error);
  return error.cause === undefined ? error.message : reasonOf(error.cause);
}
