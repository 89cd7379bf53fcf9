import { type BigIntStats, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { isError } from "@kv/core";
import { type FileId, fileIdOf } from "./file-id.ts";

/** A file as last seen. */
interface Seen {
  readonly name: string;
  readonly id: FileId;
  readonly size: bigint;
  readonly modified: bigint;
}

/** How often to look for the newest log, while LevelDB moves on to newer ones. */
const ATTEMPTS = 10;
const LOST = "while it was open, so that new writes would be lost";
const RESTORED =
  "while it was open, as by a backup copied over it or by another process that opened it, so that new writes may be lost";
const UNLOCKED = "while the database was open, so that another process may open it, too";

/**
 * LevelDB keeps writing into files that were moved or deleted, since it has them open: writes acknowledged then are in a
 * file without a name. This class tells the files of an open database from others that took their place.
 *
 * - The directory and `LOCK` stay the same files.
 * - `CURRENT`, and the manifest that it names, are replaced only by opening the database: a restored backup changes them.
 * - A newer log may follow the newest one, which never becomes shorter.
 */
export class OpenFiles {
  readonly #path: string;
  readonly #directory: FileId;
  readonly #lock: FileId | undefined;
  readonly #current: Seen | undefined;
  readonly #manifest: Seen | undefined;
  #log: Seen | undefined;

  /** For an open database. `reopened`: its owner may close and reopen it, which makes other files current. */
  constructor(path: string, { reopened }: { readonly reopened: boolean }) {
    this.#path = path;
    this.#directory = fileIdOf(statSync(path, { bigint: true }));
    this.#lock = this.#look("LOCK")?.id;
    this.#current = reopened ? undefined : this.#look("CURRENT");
    this.#manifest = reopened ? undefined : this.#look(readFileSync(join(path, "CURRENT"), "utf8").trim());
    this.#log = this.#newestLog();
  }

  /** What has happened to the files since; `undefined`: nothing. */
  fault(): string | undefined {
    try {
      return this.#directoryFault() ?? this.#fixedFault() ?? this.#logFault();
    } catch (error) {
      // A process with too many open files cannot list a directory: that is not a fault of the files.
      if (isError(error) && "code" in error && (error.code === "EMFILE" || error.code === "ENFILE"))
        return undefined;
      return `the directory ${this.#path} can no longer be read (${isError(error) ? error.message : error})`;
    }
  }

  #directoryFault(): string | undefined {
    const found = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    if (found === undefined) return `the directory ${this.#path} was moved or deleted ${LOST}`;
    if (fileIdOf(found) !== this.#directory)
      return `the directory ${this.#path} was replaced by another ${LOST}`;
    return undefined;
  }

  #fixedFault(): string | undefined {
    const lock = this.#look("LOCK");
    if (lock?.id !== this.#lock) return this.#say("LOCK", lock, UNLOCKED);
    for (const before of [this.#current, this.#manifest]) {
      if (before === undefined) continue;
      const now = this.#look(before.name);
      if (now === undefined) return this.#say(before.name, now, LOST);
      const isSame = before === this.#current ? isUnaltered : isContinued;
      if (!isSame(before, now)) return this.#say(before.name, now, RESTORED);
    }
    return undefined;
  }

  #logFault(): string | undefined {
    const before = this.#log;
    const now = before && this.#look(before.name);
    if (before !== undefined && now?.id === before.id) {
      if (now.size < before.size) return this.#say(before.name, now);
      this.#log = now;
      return undefined;
    }
    // LevelDB deletes a log once its content is in a table; then there is a newer log.
    const newest = this.#newestLog();
    const follows = newest !== undefined && (before === undefined || number(newest) > number(before));
    if (!follows) return this.#say(before?.name ?? "the log", now);
    this.#log = newest;
    return undefined;
  }

  /** A listed log may be gone a moment later: then there is a newer one. */
  #newestLog(): Seen | undefined {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const logs = readdirSync(this.#path).filter((name) => /^\d+\.log$/.test(name));
      const newest = logs.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)).at(-1);
      const found = newest === undefined ? undefined : this.#look(newest);
      if (found !== undefined || newest === undefined) return found;
    }
    return undefined;
  }

  #look(name: string): Seen | undefined {
    const found = statSync(join(this.#path, name), { bigint: true, throwIfNoEntry: false });
    return found && seen(name, found);
  }

  #say(name: string, now: Seen | undefined, consequence: string = LOST): string {
    const what = now === undefined ? "moved or deleted" : "replaced or altered";
    return `the file ${join(this.#path, name)} was ${what} ${consequence}`;
  }
}

function seen(name: string, stats: BigIntStats): Seen {
  return { name, id: fileIdOf(stats), size: stats.size, modified: stats.mtimeNs };
}

/**
 * Only a copy writes to CURRENT in place. It is the one file here that LevelDB does not keep open: FAT, SMB and file systems
 * in user space may forget its inode, and later report another number for the same file.
 */
function isUnaltered(before: Seen, now: Seen): boolean {
  return now.size === before.size && now.modified === before.modified;
}

/** LevelDB appends to the manifest. */
function isContinued(before: Seen, now: Seen): boolean {
  return now.id === before.id && now.size >= before.size;
}

function number({ name }: Seen): number {
  return Number.parseInt(name, 10);
}
