import { mkdirSync, readdirSync, realpathSync } from "node:fs";
import { rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { delay, Refusal } from "@kv/core";
import { ClassicLevel } from "classic-level";
import { refuseUnfinished } from "../backup/unfinished-backup.ts";
import { isLocked, openFault } from "../errors.ts";
import { claim } from "../holding/claimed-prefixes.ts";
import { Hold } from "../holding/hold.ts";
import { type Holder, held, holderFile, readHolder } from "../holding/holder.ts";
import { lockOwner } from "../holding/lock-owner.ts";
import { startOf } from "../holding/process-identity.ts";
import { checkState, writeClosingNote } from "../integrity/closing-note.ts";
import { checkTables, writeTableSums } from "../integrity/table-sums.ts";
import { checkLogs } from "../integrity/write-ahead-log.ts";
import type { LevelDatabase } from "../level-database.ts";
import type { Place, Settings } from "../options.ts";
import { Custody } from "./custody.ts";
import { OpenFiles } from "./open-files.ts";

/** How often to try opening a database whose holder is just ending, and the milliseconds between two attempts. */
const MOST_ATTEMPTS = 100;
const ATTEMPT_PAUSE_MS = 10;

/** A database, our own or one handed in, and how it is closed and renewed. */
export interface Connection {
  readonly db: LevelDatabase;
  /** The directory; `""` if the database has none. */
  readonly path: string;
  /** Whether its files are still where they were. */
  readonly custody: Custody;
  /** @throws Refusal if its files are no longer where they were; it is closed all the same */
  close(): Promise<void>;
  /**
   * Closes and reopens it, to begin a new log; `before` runs just before it is closed.
   * @throws Refusal if that is impossible, or there is no space; then it stays open
   */
  renew(before: () => Promise<void>): Promise<void>;
}

export function connect({ where, prefix }: Settings): Promise<Connection> {
  return "database" in where ? adopt(where.database, prefix) : open(where);
}

async function adopt(db: LevelDatabase, prefix: string): Promise<Connection> {
  if (db.status === "opening") await db.open();
  if (db.status !== "open")
    throw new Refusal("KV_UNAVAILABLE", "the option database is a closed database; open it before the store");
  const { path, fault, release } = claim(db, prefix);
  const custody = new Custody({ fault });
  return {
    db,
    path,
    custody,
    async close() {
      const refusal = custody.look();
      release();
      if (refusal !== undefined) throw refusal;
    },
    async renew() {
      custody.demand();
      throw new Refusal(
        "KV_UNAVAILABLE",
        "a write failed, and later writes to the same log could be lost; close the database given as the option database, and open it again",
      );
    },
  };
}

async function open(place: Place): Promise<Connection> {
  let hold: Hold | undefined;
  try {
    mkdirSync(place.path, { recursive: true });
    // A path through links is resolved, so that all paths to the directory are one.
    const path = realpathSync(place.path);
    hold = Hold.take(path);
    return await openHeld({ ...place, path }, hold);
  } catch (error) {
    hold?.release();
    throw openFault(error, place.path);
  }
}

async function openHeld(
  { path, cacheSize, writeBufferSize, verifyUpTo }: Place,
  hold: Hold,
): Promise<Connection> {
  await inspect(path, verifyUpTo);
  // The constructor already begins to open the database.
  const db = new ClassicLevel(path, { cacheSize, writeBufferSize });
  await openAt(db, path);
  let files: OpenFiles;
  try {
    hold.confirm();
    files = new OpenFiles(path, { reopened: false });
  } catch (error) {
    await db.close().catch(() => undefined);
    throw error;
  }
  const custody = new Custody({ fault: () => files.fault() ?? hold.keep() });
  return {
    db,
    path,
    custody,
    async close() {
      const refusal = custody.look();
      const wasOpen = db.status === "open";
      await db.close();
      // The notes describe the files of this database, and would be wrong for others that took their place.
      if (wasOpen && refusal === undefined) {
        writeClosingNote(path);
        await writeTableSums(path, verifyUpTo);
      }
      // Last: the next opener must not come between.
      hold.release();
      if (refusal !== undefined) throw refusal;
    },
    async renew(before) {
      custody.demand();
      // Opening writes a new log and the old one's content; a database that fails to open could not be read either.
      await demandSpace(path, 3 * writeBufferSize);
      await before();
      await db.close();
      await openAt(db, path);
      hold.confirm();
      files = new OpenFiles(path, { reopened: false });
    },
  };
}

async function openAt(db: ClassicLevel, path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.open();
    } catch (error) {
      // Otherwise the driver would answer the next attempt with this failure.
      await db.close().catch(() => undefined);
      if (!isLocked(error)) throw openFault(error, path);
      if (attempt >= attemptsFor(lockOwner(join(path, "LOCK")))) throw held(error, path, lockHolder(path));
    }
    await delay(ATTEMPT_PAUSE_MS);
  }
}

/**
 * How often to try an opening that found the lock taken, given the process that has the lock now. A killed process keeps its
 * locks until the last of its threads has ended; if the list names no process, that may just have happened.
 */
function attemptsFor(owner: number | undefined): number {
  if (owner === undefined) return process.platform === "linux" ? 5 : 1;
  return owner > 0 && startOf(owner) === undefined ? MOST_ATTEMPTS : 1;
}

/** The process that has LevelDB's lock, if known: the system's list counts more than the holder file. */
function lockHolder(path: string): (Pick<Holder, "pid"> & Partial<Holder>) | undefined {
  const holder = readHolder(holderFile(path));
  const pid = lockOwner(join(path, "LOCK"));
  if (pid !== undefined && pid !== 0) return holder?.pid === pid ? holder : { pid };
  // The claim in the file is that of the store which is about to be refused.
  return holder?.pid === process.pid ? undefined : holder;
}

/** Checks for damage that LevelDB ignores. If another process has the database open, it may see files that are being written. */
async function inspect(path: string, verifyUpTo: number): Promise<void> {
  try {
    refuseUnfinished(path);
    refuseHeadless(path);
    checkState(path);
    await checkLogs(path);
    await checkTables(path, verifyUpTo);
  } catch (error) {
    throw openFault(error, path);
  }
}

/** LevelDB takes a directory without its file CURRENT for a new database, and deletes the tables it finds there. */
function refuseHeadless(path: string): void {
  const files = readdirSync(path);
  if (files.includes("CURRENT") || !files.some((file) => /\.(ldb|sst)$/.test(file))) return;
  throw new Refusal(
    "KV_CORRUPT",
    `the database ${path} is damaged: its file CURRENT is missing; restore it from a backup`,
  );
}

async function demandSpace(path: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(path);
  if (bavail * bsize < bytes) {
    throw new Refusal(
      "KV_CAPACITY",
      `no space left for ${path}: ${bytes} bytes must be free before the next write; free some`,
    );
  }
  // The file system does not report quotas.
  const file = join(path, "kv-space-probe.tmp");
  try {
    await writeFile(file, new Uint8Array(bytes), { flush: true });
  } catch (error) {
    throw openFault(error, path);
  } finally {
    await rm(file, { force: true }).catch(() => undefined);
  }
}
