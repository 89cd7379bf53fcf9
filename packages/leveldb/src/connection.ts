import { mkdirSync, readdirSync } from "node:fs";
import { rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Refusal } from "@kv/core";
import { ClassicLevel } from "classic-level";
import { claim } from "./claims.ts";
import { checkClosingNote, writeClosingNote } from "./closing-note.ts";
import { held, isLocked, openFault } from "./errors.ts";
import { readHolder, removeHolder, writeHolder } from "./holder.ts";
import type { LevelDatabase } from "./level-database.ts";
import type { Place, Settings } from "./options.ts";
import { checkTables, writeTableSums } from "./table-sums.ts";
import { checkLogs } from "./write-ahead-log.ts";

/** A database as it is opened and closed: our own, or one that was handed in. */
export interface Connection {
  readonly db: LevelDatabase;
  /** Where it is, as far as that is known. */
  readonly path: string;
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
  const release = claim(db, prefix);
  return {
    db,
    path: "location" in db && typeof db.location === "string" ? db.location : "",
    async close() {
      release();
    },
    async renew() {
      throw new Refusal(
        "KV_UNAVAILABLE",
        "a write failed, and what is written behind it could be lost: close the database handed in, and open it again",
      );
    },
  };
}

async function open({ path, cacheSize, writeBufferSize, verifyUpTo }: Place): Promise<Connection> {
  await inspect(path, verifyUpTo);
  // The driver begins to open it by itself.
  const db = new ClassicLevel(path, { cacheSize, writeBufferSize });
  await openAt(db, path);
  return {
    db,
    path,
    async close() {
      removeHolder(path);
      const wasOpen = db.status === "open";
      await db.close();
      if (!wasOpen) return;
      writeClosingNote(path);
      await writeTableSums(path, verifyUpTo);
    },
    async renew(before) {
      // Opening writes a new log and the old one's content; and a database that cannot be opened cannot be read either.
      await demandSpace(path, 3 * writeBufferSize);
      await before();
      await db.close();
      await openAt(db, path);
    },
  };
}

async function openAt(db: ClassicLevel, path: string): Promise<void> {
  try {
    await db.open();
  } catch (error) {
    // The driver keeps a failed opening for the next one to see.
    await db.close().catch(() => undefined);
    throw isLocked(error) ? held(error, path, readHolder(path)) : openFault(error, path);
  }
  writeHolder(path);
}

/** What LevelDB would pass over in silence. While somebody else has it open this may look at what is being written. */
async function inspect(path: string, verifyUpTo: number): Promise<void> {
  try {
    mkdirSync(path, { recursive: true });
    refuseHeadless(path);
    checkClosingNote(path);
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
