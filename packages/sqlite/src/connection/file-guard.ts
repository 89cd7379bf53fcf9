/**
 * Notices that the files of an open database were moved, deleted or replaced.
 *
 * SQLite goes on writing into the files that it has open, whatever became of their names: a database that was renamed or
 * restored over, or a write-ahead log that another program unlinked, takes writes that nobody will ever read. So the names
 * are looked up from time to time, and must lead to the files of the opening. SQLite does the same before it changes a
 * database with a rollback journal (`SQLITE_READONLY_DBMOVED`), and not in WAL mode.
 *
 * A copy that was written over the database in place has the same inode. In WAL mode the file itself changes only as the
 * log is copied into it. Each time it has changed, a fresh connection, which has no page in its cache, must find in it what
 * this one has reserved (`isOurs`). As long as the log has the page with that, the connection finds it there: such a copy
 * goes unnoticed until the log has been copied into the file and begun anew.
 *
 * Nothing here opens the files but through SQLite: closing a descriptor drops all locks of the process on its file.
 */
import { type Stats, statSync } from "node:fs";
import { monotonicNow, Refusal } from "@kv/core";

/** Milliseconds for which a look is good. Three files take about 5 µs. */
export const GOOD_FOR_MS = 10;

/** Sees to it that the files are those that were opened. */
export interface Guard {
  /** Something is being acknowledged as written: from now on closing a lost database is a fault. */
  wrote(): void;
  /** Looks, unless that was done just now. @throws LostFiles */
  check(): void;
  /** @throws LostFiles */
  look(): void;
  /** What closing has to say: `undefined` where nothing was written that could be lost. */
  lossAtClose(): LostFiles | undefined;
}

interface Watched {
  readonly path: string;
  readonly what: "database" | "write-ahead log" | "index of the write-ahead log";
  readonly dev: number;
  readonly ino: number;
}

export interface GuardedFiles {
  /** As it was opened: a link that leads elsewhere by now is a database that was replaced. */
  readonly path: string;
  /** Where the database really is: its log is beside it. */
  readonly real: string;
  /** Whether there is a write-ahead log, now. */
  readonly hasLog: () => boolean;
  /** Whether the database that the path leads to, read afresh, knows what this connection has written; `undefined`: cannot say now. */
  readonly isOurs: () => boolean | undefined;
}

/** The files of the opening are not where they were. Nothing is acknowledged any more. */
export class LostFiles extends Refusal {
  constructor(message: string) {
    super("KV_UNAVAILABLE", message, { retryable: false });
  }
}

export class FileGuard implements Guard {
  readonly #files: GuardedFiles;
  #watched: readonly Watched[];
  /** Size and time of the last change of the database when it was last found to be ours. */
  #state: string;
  #lookedAt = monotonicNow();
  #rewritten = false;
  #wrote = false;

  /** For files that were just opened. `undefined`: a database without a file. */
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
        // The owner of a database that was handed in has chosen another journal.
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
      `the database ${this.#files.path} was overwritten while it was open, with a state that lacks what this store has written ` +
        "(a backup copied over it): the file is a mixture now. Close every program that has it open, delete it with its " +
        "-wal and -shm, and restore the backup once more, into an empty place",
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

/** `undefined`: there is no such file. `"unknown"`: it may not be looked at, which says nothing about it. */
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
    `${happened}, so that what is written now would be lost. What was written in the last ${GOOD_FOR_MS} ms before may be. ` +
      "Close every program that has it open, put the files back or restore a backup, and open the store anew",
  );
}
