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

/** How often a database whose holder is just ending is tried to be opened, and the milliseconds between. */
const MOST_ATTEMPTS = 100;
const ATTEMPT_PAUSE_MS = 10;

/** A database as it is opened and closed: our own, or one that was handed in. */
export interface Connection {
  readonly db: LevelDatabase;
  /** Where it is, as far as that is known. */
  readonly path: string;
  /** Whether its files are still where they were. */
  readonly custody: Custody;
  /** @throws Refusal where its files are not where they were; it is closed all the same */
  close(): Promise<void>;
  /**
   * Closes and opens it, to begin a new log; `before` runs when it is about to be closed.
   * @throws Refusal where that cannot be, or there is no space; then it stays open
   */
  renew(before: () => Promise<void>): Promise<void>;
}

export function connect({ where, prefix }: Settings): Promise<Connection> {
  return "database" in where ? adopt(where.database, prefix) : open(where);
}

async function adopt(db: LevelDatabase, prefix: string): Promise<Connection> {
  if (db.status === "opening") await db.open();
  if (db.status !== "open")
    throw new Refusal("KV_UNAVAILABLE", "the database handed in is closed; open it first");
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
        "a write failed, and what is written behind it could be lost: close the database handed in, and open it again",
      );
    },
  };
}

async function open(place: Place): Promise<Connection> {
  let hold: Hold | undefined;
  try {
    mkdirSync(place.path, { recursive: true });
    // By links and by the path itself one comes to the same place.
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
  // The driver begins to open it by itself.
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
      // The notes describe the files of this database; where others have taken their place they would be wrong.
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
      // Opening writes a new log and the old one's content; and a database that cannot be opened cannot be read either.
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
      // The driver keeps a failed opening for the next one to see.
      await db.close().catch(() => undefined);
      if (!isLocked(error)) throw openFault(error, path);
      if (attempt >= attemptsFor(lockOwner(join(path, "LOCK")))) throw held(error, path, lockHolder(path));
    }
    await delay(ATTEMPT_PAUSE_MS);
  }
}

/**
 * How often an opening that found the lock taken is tried, by who has the lock after it. A process that was killed has its
 * locks until the last of its threads has ended; where the list names none, that may just have happened.
 */
function attemptsFor(owner: number | undefined): number {
  if (owner === undefined) return process.platform === "linux" ? 5 : 1;
  return owner > 0 && startOf(owner) === undefined ? MOST_ATTEMPTS : 1;
}

/** The process that has LevelDB's lock, as far as it is known: the system's word goes before that of a file. */
function lockHolder(path: string): (Pick<Holder, "pid"> & Partial<Holder>) | undefined {
  const holder = readHolder(holderFile(path));
  const pid = lockOwner(join(path, "LOCK"));
  if (pid !== undefined && pid !== 0) return holder?.pid === pid ? holder : { pid };
  // The claim of the store that is about to be refused says nothing.
  return holder?.pid === process.pid ? undefined : holder;
}

/** What LevelDB would pass over in silence. While another process has it open, this may look at what is being written. */
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
      `no space left for ${path}: ${bytes} bytes have to be free before it is written to again; free some`,
    );
  }
  // Of quotas the file system does not tell.
  const file = join(path, "kv-space-probe.tmp");
  try {
    await writeFile(file, new Uint8Array(bytes), { flush: true });
  } catch (error) {
    throw openFault(error, path);
  } finally {
    await rm(file, { force: true }).catch(() => undefined);
  }
}
