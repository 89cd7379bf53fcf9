import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Refusal } from "@kv/core";
import { ClassicLevel } from "classic-level";
import { claim } from "./claims.ts";
import { held, isLocked, openFault } from "./errors.ts";
import { readHolder, removeHolder, writeHolder } from "./holder.ts";
import type { LevelDatabase, Settings } from "./options.ts";

/** A database as it is opened and closed: our own, or one that was handed in. */
export interface Connection {
  readonly db: LevelDatabase;
  /** Where it is, as far as that is known. */
  readonly path: string;
  close(): Promise<void>;
  /** Closes and opens it, to begin a new log. @throws Refusal where that cannot be, or there is no space */
  renew(): Promise<void>;
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
    renew() {
      throw new Refusal(
        "KV_UNAVAILABLE",
        "a write failed, and what is written behind it could be lost: close the database handed in, and open it again",
      );
    },
  };
}

interface Place {
  readonly path: string;
  readonly cacheSize: number;
  readonly writeBufferSize: number;
}

async function open({ path, cacheSize, writeBufferSize }: Place): Promise<Connection> {
  await refuseHeadless(path);
  // The driver begins to open it by itself.
  const db = new ClassicLevel<unknown, unknown>(path, { cacheSize, writeBufferSize });
  await openAt(db, path);
  return {
    db,
    path,
    async close() {
      await removeHolder(path);
      await db.close();
    },
    async renew() {
      // Opening writes a new log and the old one's content; and a database that cannot be opened cannot be read either.
      await demandSpace(path, 3 * writeBufferSize);
      await db.close();
      await openAt(db, path);
    },
  };
}

async function openAt(db: ClassicLevel<unknown, unknown>, path: string): Promise<void> {
  try {
    await db.open();
  } catch (error) {
    // The driver keeps a failed opening for the next one to see.
    await db.close().catch(() => undefined);
    throw isLocked(error) ? held(error, path, await readHolder(path)) : openFault(error, path);
  }
  await writeHolder(path);
}

/** LevelDB takes a directory without its file CURRENT for a new database, and deletes the tables it finds there. */
async function refuseHeadless(path: string): Promise<void> {
  const files = await filesIn(path);
  if (!files.includes("CURRENT") && files.some((file) => /\.(ldb|sst)$|^MANIFEST-/.test(file))) {
    throw new Refusal(
      "KV_CORRUPT",
      `the database ${path} is damaged: its file CURRENT is missing; restore it from a backup`,
    );
  }
}

async function filesIn(path: string): Promise<string[]> {
  try {
    await mkdir(path, { recursive: true });
    return await readdir(path);
  } catch (error) {
    throw openFault(error, path);
  }
}

async function demandSpace(path: string, bytes: number): Promise<void> {
  const file = join(path, "kv-space-probe.tmp");
  try {
    await writeFile(file, new Uint8Array(bytes), { flush: true });
  } catch (error) {
    throw openFault(error, path);
  } finally {
    await rm(file, { force: true }).catch(() => undefined);
  }
}
