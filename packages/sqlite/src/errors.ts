import { accessSync, closeSync, constants, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { isError, type KvErrorCode, Refusal } from "@kv/core";

/** SQLite's primary result codes; extended ones (`SQLITE_IOERR_WRITE`) begin with theirs. */
const CODES: readonly (readonly [prefix: string, code: KvErrorCode])[] = [
  ["SQLITE_BUSY", "KV_UNAVAILABLE"],
  ["SQLITE_LOCKED", "KV_UNAVAILABLE"],
  ["SQLITE_PROTOCOL", "KV_UNAVAILABLE"],
  ["SQLITE_CANTOPEN", "KV_UNAVAILABLE"],
  ["SQLITE_PERM", "KV_UNAVAILABLE"],
  ["SQLITE_IOERR", "KV_UNAVAILABLE"],
  ["SQLITE_CORRUPT", "KV_CORRUPT"],
  ["SQLITE_NOTADB", "KV_CORRUPT"],
  ["SQLITE_FULL", "KV_CAPACITY"],
  ["SQLITE_TOOBIG", "KV_CAPACITY"],
  ["SQLITE_NOMEM", "KV_CAPACITY"],
  ["SQLITE_READONLY", "KV_READ_ONLY"],
];

/** Errors that the driver raises itself, before SQLite: they have no code, only a message. */
const MESSAGES: readonly (readonly [words: string, code: KvErrorCode])[] = [
  ["is too big", "KV_CAPACITY"],
  ["connection is not open", "KV_UNAVAILABLE"],
  ["busy executing a query", "KV_UNAVAILABLE"],
];

export function errorCode(error: unknown): KvErrorCode | undefined {
  const code = codeOf(error);
  if (code !== undefined) return CODES.find(([prefix]) => code.startsWith(prefix))?.[1];
  if (!isError(error)) return undefined;
  return MESSAGES.find(([words]) => error.message.includes(words))?.[1];
}

/** Whether the same statement may succeed once another connection or query has finished. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== undefined) return code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED");
  // The owner of a database handed in is iterating over a query.
  return isError(error) && error.name === "TypeError" && error.message.includes("busy executing a query");
}

/** Whether the error concerns only its own statement, so that others can go on. */
export function isOwnFault(error: unknown): boolean {
  // An altered entry.
  if (error instanceof Refusal) return true;
  const code = codeOf(error);
  if (code === undefined) return !isBusy(error) && errorCode(error) !== "KV_UNAVAILABLE";
  return ["SQLITE_TOOBIG", "SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_RANGE"].some((own) =>
    code.startsWith(own),
  );
}

/** Whether a file could not be opened or made: it or the permission is missing, or no descriptor is left. */
export function isOutOfReach(error: unknown): boolean {
  const code = codeOf(error);
  return ["SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_IOERR"].some((prefix) => code?.startsWith(prefix));
}

/** Whether SQLite has found the database damaged. */
export function isDamaged(error: unknown): boolean {
  const code = codeOf(error);
  return ["SQLITE_CORRUPT", "SQLITE_NOTADB"].some((sign) => code?.startsWith(sign));
}

/** Whether the error shows that a file is not the expected database: our tables are missing, or the content is damaged. */
export function isWrongFile(error: unknown): boolean {
  const code = codeOf(error);
  return ["SQLITE_ERROR", "SQLITE_CORRUPT", "SQLITE_NOTADB"].some((sign) => code?.startsWith(sign));
}

/** Whether a statement tried to store NULL in a column that refuses it. */
export function refusesNull(error: unknown): boolean {
  return codeOf(error) === "SQLITE_CONSTRAINT_NOTNULL";
}

/** The code of an error of SQLite or of the file system. */
function codeOf(error: unknown): string | undefined {
  return isError(error) && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

export function lockHeld(error: unknown, path: string, waited: number): Refusal {
  return new Refusal(
    "KV_UNAVAILABLE",
    `another connection has kept ${path} locked for ${Math.round(waited)} ms; end its transaction, or raise busyTimeout`,
    { cause: error },
  );
}

/** The reason why the file could not be opened, with advice; other errors are returned unchanged. */
export function openFault(error: unknown, path: string, readOnly: boolean): unknown {
  if (error instanceof Refusal) return error;
  const code = codeOf(error);
  if (code?.startsWith("SQLITE_NOTADB")) {
    return refusal(
      "KV_CORRUPT",
      `${path} is not a SQLite database, or an encrypted one; choose another path`,
      error,
    );
  }
  if (code?.startsWith("SQLITE_CORRUPT")) {
    return refusal(
      "KV_CORRUPT",
      `the database ${path} is damaged; close the store, and restore the database from a backup`,
      error,
    );
  }
  if (code?.startsWith("SQLITE_READONLY") && readOnly) {
    const message = `a program ended while it was writing ${path}, and its journal must be rolled back first; open the database once without readOnly, where it can be written`;
    return refusal("KV_UNAVAILABLE", message, error);
  }
  if (code?.startsWith("SQLITE_READONLY")) {
    const message = `${path} or its directory cannot be written; give this process permission, or open it with readOnly: true`;
    return refusal("KV_READ_ONLY", message, error);
  }
  if (code?.startsWith("SQLITE_FULL") || code === "ENOSPC")
    return refusal("KV_CAPACITY", `no space left to create or open ${path}; free some`, error);
  if (code?.startsWith("SQLITE_CANTOPEN") || code?.startsWith("E") || missingDirectory(error)) {
    return refusal(
      "KV_UNAVAILABLE",
      `cannot open the database ${path}: ${obstacle(path, readOnly, error)}`,
      error,
    );
  }
  return error;
}

/** The reason why a copy of the database could not be written, with advice; other errors are returned unchanged. */
export function writeFault(error: unknown, path: string): unknown {
  if (error instanceof Refusal) return error;
  const code = codeOf(error);
  if (code?.startsWith("SQLITE_FULL") || code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG")
    return refusal("KV_CAPACITY", `no space left to write ${path}; free some`, error);
  if (/^(SQLITE_(CANTOPEN|READONLY|IOERR|PERM)|E)/.test(code ?? "") || missingDirectory(error))
    return refusal("KV_UNAVAILABLE", `cannot write ${path}: ${obstacle(path, false, error)}`, error);
  return error;
}

function missingDirectory(error: unknown): boolean {
  return isError(error) && error.name === "TypeError" && error.message.includes("directory does not exist");
}

/** What keeps the file at this path from being opened or made, in words. */
function obstacle(path: string, readOnly: boolean, error: unknown): string {
  const directory = dirname(path);
  const file = kindOf(path);
  if (file === "directory") return "it is a directory; name a file";
  if (file === "file" && denied(path, constants.R_OK)) return "no permission to read the file";
  if (file === "file" && !readOnly && denied(directory, constants.W_OK | constants.X_OK))
    return `the directory ${directory} cannot be written; give this process permission, or open it with readOnly: true`;
  if (file !== "file") {
    const parent = kindOf(directory);
    if (parent === "missing")
      return `the directory ${directory} does not exist${readOnly ? "" : " and could not be made"}`;
    if (parent === "file") return `${directory} is not a directory`;
    if (file === "missing" && readOnly) return "there is no such file, and readOnly does not create one";
    if (denied(directory, constants.W_OK | constants.X_OK))
      return `no permission to write into the directory ${directory}`;
  }
  if (noDescriptorLeft(directory))
    return "this process has no file descriptor left; close files, or raise its limit (ulimit -n)";
  return isError(error) ? error.message : String(error);
}

/** SQLite does not say why it cannot open a file. */
function noDescriptorLeft(directory: string): boolean {
  try {
    closeSync(openSync(directory, "r"));
    return false;
  } catch (error) {
    return ["EMFILE", "ENFILE"].includes(codeOf(error) ?? "");
  }
}

function kindOf(path: string): "file" | "directory" | "missing" | "hidden" {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats === undefined ? "missing" : stats.isDirectory() ? "directory" : "file";
  } catch (error) {
    return codeOf(error) === "ENOTDIR" ? "missing" : "hidden";
  }
}

export function denied(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return false;
  } catch {
    return true;
  }
}

function refusal(code: KvErrorCode, message: string, cause: unknown): Refusal {
  return new Refusal(code, message, { cause });
}
