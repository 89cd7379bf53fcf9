/**
 * A database in WAL mode in a directory that cannot be written: a read-only mount, an image, another user's directory.
 *
 * To read one, SQLite needs the log's index (`-shm`), and makes it where it is missing, as it is after the database was
 * closed properly. Here it cannot. SQLite's own way out, `immutable=1`, is an option of URIs, which the driver has switched
 * off; so the file is read as a whole, and the database opened from that. Nothing but the file is needed then, because
 * there is no log, and none can be made by way of this directory. By another way (the same directory mounted elsewhere,
 * a user who may write) the file may change after all: the guard notices, and the copy is used no longer.
 */
import { constants, readFileSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { monotonicNow, Refusal } from "@kv/core";
import Sqlite from "better-sqlite3";
import { denied } from "../errors.ts";
import { GOOD_FOR_MS, type Guard, LostFiles } from "./file-guard.ts";

/** Bytes that are read into memory at most. */
const LARGEST = 2 ** 30;
/** Where the header says which journal the file needs, to be written and to be read; 1: none but its own. */
const JOURNAL_BYTES = [18, 19] as const;

export interface ReadOnlyCopy {
  readonly db: Sqlite.Database;
  readonly guard: Guard;
}

/**
 * Such a database; `undefined`: this is none, and could not be opened for another reason.
 * @throws Refusal that says what is missing
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
      `no permission to read ${companion}, which belongs to the database ${path}`,
    );
  }
  if (hasLog(path)) {
    throw new Refusal(
      "KV_UNAVAILABLE",
      `${path} was not closed properly: it has a write-ahead log with content, ${path}-wal, whose index ${path}-shm ` +
        "is missing and cannot be made in a directory that cannot be written. Copy the database together with its -wal to " +
        "where both can be written, open and close it there once, and put it back",
    );
  }
  if (before.size > LARGEST) {
    throw new Refusal(
      "KV_UNAVAILABLE",
      `${path} is in WAL mode, which needs a file beside it, in a directory that cannot be written, and is too large to be read ` +
        `into memory (${before.size} bytes). Make the file with backup() of @kv/sqlite, or run PRAGMA journal_mode = DELETE ` +
        "on it, before it is put there",
    );
  }
  const bytes = readFileSync(path);
  const guard = new CopyGuard(path, before);
  guard.look();
  for (const at of JOURNAL_BYTES) if (bytes[at] === 2) bytes[at] = 1;
  return { db: new Sqlite(bytes, { readonly: true }), guard };
}

/** Notices that the file was changed since it was read. */
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
        `the database ${this.#path} was changed, replaced or deleted after it was read, although its directory could not be written; ` +
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
