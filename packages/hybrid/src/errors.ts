import { isError, type KvErrorCode, Refusal } from "@kv/core";

/** What an error of the file system means to who writes. */
const FAULTS: Readonly<Record<string, readonly [code: KvErrorCode, what: string]>> = {
  ENOSPC: ["KV_CAPACITY", "has no space left; free some"],
  EDQUOT: ["KV_CAPACITY", "is at its quota; free some space"],
  EFBIG: ["KV_CAPACITY", "takes no file that large"],
  EROFS: ["KV_READ_ONLY", "is on a file system that is mounted read-only"],
  EACCES: ["KV_READ_ONLY", "cannot be written; give this process permission to"],
  EPERM: ["KV_READ_ONLY", "cannot be written; give this process permission to"],
  ENOENT: ["KV_UNAVAILABLE", "is not what it was, or gone; mount or restore it"],
  ENOTDIR: ["KV_UNAVAILABLE", "is no directory, or lies below a file; name another one"],
  EEXIST: ["KV_UNAVAILABLE", "is no directory; name another one"],
  EMFILE: ["KV_UNAVAILABLE", "cannot be used: this process has too many files open"],
  ENFILE: ["KV_UNAVAILABLE", "cannot be used: this machine has too many files open"],
  EIO: ["KV_UNAVAILABLE", "is on a disk that fails"],
};

/** The code of an error of the file system. */
export function fsCode(error: unknown): string | undefined {
  return isError(error) && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

export function isMissing(error: unknown): boolean {
  return fsCode(error) === "ENOENT";
}

/** What went wrong with the directory, in words that help. What is a refusal already stays as it is. */
export function directoryFault(error: unknown, directory: string): Refusal {
  if (error instanceof Refusal) return error;
  const message = isError(error) ? error.message : String(error);
  const [code, what] = FAULTS[fsCode(error) ?? ""] ?? (["KV_BACKEND", "cannot be used"] as const);
  return new Refusal(code, `the directory ${directory} ${what} (${message})`, { cause: error });
}

/** Why a file that an entry names cannot be read. */
export function corruptFile(file: string, what: string, cause?: unknown): Refusal {
  return new Refusal(
    "KV_CORRUPT",
    `its file ${file} ${what}; restore it from a backup, or delete or rewrite the entry`,
    cause === undefined ? {} : { cause },
  );
}
