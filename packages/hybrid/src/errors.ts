import { isError, type KvErrorCode, Refusal } from "@kv/core";

/** What an error of the file system means to a caller. */
const FAULTS: Readonly<Record<string, readonly [code: KvErrorCode, what: string]>> = {
  ENOSPC: ["KV_CAPACITY", "has no space left; free some"],
  EDQUOT: ["KV_CAPACITY", "is at its quota; free some space"],
  EFBIG: ["KV_CAPACITY", "is on a file system that cannot hold a file this large; store a smaller value"],
  ENAMETOOLONG: [
    "KV_CAPACITY",
    'is on a file system that refuses a name this long; use a shorter path or key, or layout: "content"',
  ],
  EROFS: ["KV_READ_ONLY", "is on a file system that is mounted read-only"],
  EACCES: ["KV_READ_ONLY", "cannot be written; give this process permission to"],
  EPERM: ["KV_READ_ONLY", "cannot be written; give this process permission to"],
  ENOENT: ["KV_UNAVAILABLE", "is gone or incomplete; mount or restore it"],
  ENOTDIR: ["KV_UNAVAILABLE", "is not a directory, or is below a file; name another one"],
  EEXIST: ["KV_UNAVAILABLE", "is not a directory; name another one"],
  EMFILE: [
    "KV_UNAVAILABLE",
    "cannot be used: this process has too many files open; close some, or raise its limit (ulimit -n)",
  ],
  ENFILE: ["KV_UNAVAILABLE", "cannot be used: this machine has too many files open; close some programs"],
  ELOOP: ["KV_UNAVAILABLE", "has links that lead in a circle; name another one"],
  EISDIR: ["KV_UNAVAILABLE", "has directories where its files belong; move them away"],
  EXDEV: [
    "KV_UNAVAILABLE",
    "spans several file systems, and files cannot be renamed from one to another; put all of it on one",
  ],
  EBUSY: ["KV_UNAVAILABLE", "is held by another program, a backup or a virus scanner for example; try again"],
  EIO: ["KV_UNAVAILABLE", "is on a failing disk; see the system's log"],
  ENXIO: ["KV_UNAVAILABLE", "is on a disk that is gone; mount it"],
  ENODEV: ["KV_UNAVAILABLE", "is on a disk that is gone; mount it"],
  ESTALE: ["KV_UNAVAILABLE", "is on a network file system that lost it; mount it again"],
  ETIMEDOUT: ["KV_UNAVAILABLE", "is on a network file system that does not answer"],
  ENOMEM: ["KV_UNAVAILABLE", "cannot be used: this machine has no memory left"],
};

/** The code of an error of the file system. */
export function fsCode(error: unknown): string | undefined {
  return isError(error) && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

export function isMissing(error: unknown): boolean {
  return fsCode(error) === "ENOENT";
}

/** The refusal for an error of the directory. An error that is a refusal already is returned unchanged. */
export function directoryFault(error: unknown, directory: string): Refusal {
  if (error instanceof Refusal) return error;
  const message = isError(error) ? error.message : String(error);
  const [code, what] = FAULTS[fsCode(error) ?? ""] ?? (["KV_BACKEND", "cannot be used"] as const);
  return new Refusal(code, `the directory ${directory} ${what} (${message})`, { cause: error });
}

/** The refusal for an existing file that cannot be read. An error that is a refusal already is returned unchanged. */
export function unreadableFile(file: string, error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const message = isError(error) ? error.message : String(error);
  const code = fsCode(error) ?? "";
  if (isError(error) && error.name === "RangeError") {
    const told = `its file ${file} does not fit into memory; read it as a stream`;
    return new Refusal("KV_CAPACITY", told, { cause: error });
  }
  // The file was replaced by a directory or a link.
  if (code === "EISDIR" || code === "ELOOP") return corruptFile(file, "is not a file any more", error);
  const why =
    code === "EACCES" || code === "EPERM"
      ? "this process may not read it; give it permission to"
      : code in FAULTS
        ? `its directory ${FAULTS[code]?.[1]}`
        : "try again";
  return new Refusal("KV_UNAVAILABLE", `its file ${file} cannot be read: ${why} (${message})`, {
    cause: error,
  });
}

/** The refusal for a file that an entry names and that is missing or damaged. */
export function corruptFile(file: string, what: string, cause?: unknown): Refusal {
  return new Refusal(
    "KV_CORRUPT",
    `its file ${file} ${what}; restore it from a backup, or delete or rewrite the entry`,
    cause === undefined ? {} : { cause },
  );
}
