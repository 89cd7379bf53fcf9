/**
 * A database in WAL mode in a directory that cannot be written: a read-only mount, an image, another user's directory.
 *
 * To read such a database, SQLite needs the log's index (`-shm`), and makes it if it is missing, as it is after the
 * database was closed properly. Here it cannot. SQLite's own solution, `immutable=1`, is an option of URIs, which the driver
 * has switched off; so the whole file is read, and the database opened from memory. The file alone is enough, because there
 * is no log, and none can be made through this directory. If the file changes in another way (the directory is mounted
 * elsewhere too, another user may write), the guard notices, and the copy is no longer used.
 */
import { constants, readFileSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { monotonicNow, Refusal } from "@kv/core";
import Sqlite from "better-sqlite3";
import { denied } from "../errors.ts";
import { GOOD_FOR_MS, type Guard, LostFiles } from "./file-guard.ts";

/** The largest file, in bytes, that is read into memory. */
const LARGEST = 2 ** 30;
/** The header's bytes for the journal that writing and reading need: 2 is the write-ahead log, 1 the rollback journal. */
const JOURNAL_BYTES = [18, 19] as const;

export interface ReadOnlyCopy {
  readonly db: Sqlite.Database;
  readonly guard: Guard;
}

/**
 * Opens such a database; `undefined`: it is not one, and failed to open for another reason.
 * @throws Refusal that names what is missing
 */
export function readOnlyCopy(path: string): ReadOnlyCopy | undefined {
  const before = statSync(path, { throwIfNoEntry: false });
  if (before === undefined || !before.isFile() || denied(path, constants.R_OK)) return undefined;
  if (!denied(dirname(path), constants.W_OK | constants.X_OK)) return undefined;
  for (const companion of [`${path}-wal`, `${path}-shm`]) {
    if (statSync(companion, { throwIfNoEntry: false }) === undefined || !denied(companion, constants.R_OK))
      continue;
    throw new Refusal(
      "KV_UNAVAILABLE",
      `no permission to read ${companion}, which belongs to the database ${path}; give this process permission to read both`,
    );
  }
  if (hasLog(path)) {
    throw new Refusal(
      "KV_UNAVAILABLE",
      `${path} was not closed properly: its write-ahead log ${path}-wal has content, and the index ${path}-shm is missing ` +
        "and cannot be made, as the directory cannot be written. Copy the database with its -wal to a directory that can be " +
        "written, open and close it there once, and put it back",
    );
  }
  if (before.size > LARGEST) {
    throw new Refusal(
      "KV_UNAVAILABLE",
      `${path} is in WAL mode, which needs a file beside it, but the directory cannot be written, and the file is too large to ` +
        `be read into memory (${before.size} bytes). Make it with backup() of @kv/sqlite, or run PRAGMA journal_mode = DELETE ` +
        "on it, before it is put there",
    );
  }
  const bytes = readFileSync(path);
  const guard = new CopyGuard(path, before);
  guard.look();
  for (const at of JOURNAL_BYTES) if (bytes[at] === 2) bytes[at] = 1;
  return { db: new Sqlite(bytes, { readonly: true }), guard };
}

/** Notices that the file has changed since it was read. */
class CopyGuard implements Guard {
  readonly #path: string;
  readonly #read: Stats;
  #lookedAt = monotonicNow();

  constructor(path: string, read: Stats) {
    this.#path = path;
    this.#read = read;
  }

  wrote(): void {}

  check(): void {
    if (monotonicNow() - this.#lookedAt >= GOOD_FOR_MS) this.look();
  }

  look(): void {
    const found = statSync(this.#path, { throwIfNoEntry: false });
    const { dev, ino, size, mtimeMs } = this.#read;
    const isSame =
      found?.dev === dev && found.ino === ino && found.size === size && found.mtimeMs === mtimeMs;
    if (!isSame || hasLog(this.#path)) {
      throw new LostFiles(
        `the database ${this.#path} was changed, replaced or deleted after it was read into memory; ` +
          "close the store and open it anew",
      );
    }
    this.#lookedAt = monotonicNow();
  }

  lossAtClose(): undefined {}
}

function hasLog(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}
