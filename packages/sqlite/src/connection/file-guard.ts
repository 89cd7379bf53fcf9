/**
 * Notices that the files of an open database were moved, deleted or replaced.
 *
 * SQLite keeps writing into its open files, whatever became of their names: writes to a database that was renamed or
 * restored over, or to a write-ahead log that another program unlinked, will never be read. So the names are looked up from
 * time to time, and must lead to the files that were opened. SQLite does the same before it changes a database with a
 * rollback journal (`SQLITE_READONLY_DBMOVED`), but not in WAL mode.
 *
 * A copy that was written over the database in place has the same inode. In WAL mode the file itself changes only when the
 * log is copied into it. Each time it has changed, a fresh connection, whose cache is empty, must find in it what this one
 * has reserved (`isOurs`). While the log still has that page, the fresh connection finds it there: such a copy goes
 * unnoticed until the log has been copied into the file and restarted.
 *
 * The files are opened through SQLite alone: closing a descriptor drops all locks of the process on its file.
 */
import { type Stats, statSync } from "node:fs";
import { monotonicNow, Refusal } from "@kv/core";

/** Milliseconds for which a look remains valid. Looking at three files takes about 5 µs. */
export const GOOD_FOR_MS = 10;

/** Ensures that the files are still those that were opened. */
export interface Guard {
  /** Records that a write is being acknowledged: from now on, closing a lost database is an error. */
  wrote(): void;
  /** Looks, unless the last look is still valid. @throws LostFiles */
  check(): void;
  /** @throws LostFiles */
  look(): void;
  /** The error to close with: `undefined` if nothing was written that could be lost. */
  lossAtClose(): LostFiles | undefined;
}

interface Watched {
  readonly path: string;
  readonly what: "database" | "write-ahead log" | "index of the write-ahead log";
  readonly dev: number;
  readonly ino: number;
}

export interface GuardedFiles {
  /** As it was opened: a link that now leads elsewhere means that the database was replaced. */
  readonly path: string;
  /** With links resolved: the log lies beside this file. */
  readonly real: string;
  /** Whether there is a write-ahead log, now. */
  readonly hasLog: () => boolean;
  /** Whether the file at the path, read afresh, holds what this connection has written; `undefined`: cannot be read now. */
  readonly isOurs: () => boolean | undefined;
}

/** The opened files are no longer where they were. No write is acknowledged any more. */
export class LostFiles extends Refusal {
  constructor(message: string) {
    super("KV_UNAVAILABLE", message, { retryable: false });
  }
}

export class FileGuard implements Guard {
  readonly #files: GuardedFiles;
  #watched: readonly Watched[];
  /** Size and time of last change of the database when it was last recognized as ours. */
  #state: string;
  #lookedAt = monotonicNow();
  #rewritten = false;
  #wrote = false;

  /** For files that were just opened. */
  constructor(files: GuardedFiles) {
    this.#files = files;
    this.#watched = watched(files);
    this.#state = stateOf(statOf(files.path));
  }

  wrote(): void {
    this.#wrote = true;
  }

  check(): void {
    if (monotonicNow() - this.#lookedAt >= GOOD_FOR_MS) this.look();
  }

  look(): void {
    if (this.#rewritten) throw this.#overwritten();
    for (const file of this.#watched) {
      const found = statOf(file.path);
      if (found === "unknown" || (found !== undefined && found.ino === file.ino && found.dev === file.dev)) {
        if (file.what === "database") this.#lookInto(found);
        continue;
      }
      if (file.what !== "database" && !this.#files.hasLog()) {
        // The owner of a database handed in has switched to another journal.
        this.#watched = this.#watched.filter(({ what }) => what === "database");
        break;
      }
      throw lost(file, found);
    }
    this.#lookedAt = monotonicNow();
  }

  lossAtClose(): LostFiles | undefined {
    if (!this.#wrote) return undefined;
    try {
      this.look();
      return undefined;
    } catch (error) {
      if (error instanceof LostFiles) return error;
      throw error;
    }
  }

  #lookInto(found: Stats | "unknown"): void {
    const state = stateOf(found);
    if (state === this.#state) return;
    const isOurs = this.#files.isOurs();
    if (isOurs === undefined) return;
    if (!isOurs) {
      this.#rewritten = true;
      throw this.#overwritten();
    }
    this.#state = state;
  }

  #overwritten(): LostFiles {
    return new LostFiles(
      `the database ${this.#files.path} was overwritten while it was open, as by a backup copied over it: writes of this store ` +
        "are missing, and the file is a mixture of two states. Close every program that has it open, delete the file with its " +
        "-wal and -shm, and restore the backup again, into an empty place",
    );
  }
}

function watched({ path, real, hasLog }: GuardedFiles): Watched[] {
  const names = [[path, "database"]] as [string, Watched["what"]][];
  if (hasLog())
    names.push([`${real}-wal`, "write-ahead log"], [`${real}-shm`, "index of the write-ahead log"]);
  return names.flatMap(([name, what]) => {
    const found = statOf(name);
    return found === undefined || found === "unknown"
      ? []
      : [{ path: name, what, dev: found.dev, ino: found.ino }];
  });
}

/** `undefined`: there is no such file. `"unknown"`: no permission to look at it. */
function statOf(path: string): Stats | undefined | "unknown" {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return "unknown";
  }
}

function stateOf(found: Stats | undefined | "unknown"): string {
  return found === undefined || found === "unknown" ? "" : `${found.size} ${found.mtimeMs}`;
}

function lost({ path, what }: Watched, found: Stats | undefined): LostFiles {
  const happened =
    found === undefined
      ? `the ${what} ${path} was moved or deleted while it was open`
      : `another file has taken the place of the ${what} ${path} while it was open`;
  return new LostFiles(
    `${happened}: new writes would be lost, and writes of the last ${GOOD_FOR_MS} ms before may be. ` +
      "Close every program that has it open, put the files back or restore a backup, and reopen the store",
  );
}
