import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { Refusal } from "@kv/core";
import Sqlite from "better-sqlite3";
import { isBusy, isOutOfReach, openFault } from "../errors.ts";
import type { Settings } from "../options.ts";
import { prepareSchema, type Tables } from "../stored/schema.ts";
import type { Guard } from "./file-guard.ts";
import { type ReadOnlyCopy, readOnlyCopy } from "./read-only-copy.ts";

/** Milliseconds that SQLite itself may wait for a lock, blocking the event loop: enough for an ordinary write of another connection. */
const BLOCKING_MS = 2;

export interface Connected {
  readonly db: Sqlite.Database;
  /** For a database that was read into memory: notices that its file has changed since. */
  readonly guard: Guard | undefined;
}

/** Opens the database, with our tables in it. @throws Refusal if that is impossible; the driver's error if it is locked */
export function connect(settings: Settings, tables: Tables): Connected {
  const { path, database, readOnly } = settings;
  if (database?.open === false) {
    throw new Refusal(
      "KV_UNAVAILABLE",
      "the option database is a closed database; open it before the store and close it after the store",
    );
  }
  let db = database;
  try {
    db ??= openFile(settings);
    if (db.inTransaction) throw ownersTransaction();
    prepareSchema(db, tables, readOnly);
    return { db, guard: undefined };
  } catch (error) {
    if (db !== database) db?.close();
    if (isBusy(error)) throw error;
    const copy = readOnly && database === undefined && isOutOfReach(error) ? readOnlyCopy(path) : undefined;
    if (copy === undefined) throw openFault(error, path, readOnly);
    return connectCopy(copy, path, tables);
  }
}

function connectCopy({ db, guard }: ReadOnlyCopy, path: string, tables: Tables): Connected {
  try {
    prepareSchema(db, tables, true);
    return { db, guard };
  } catch (error) {
    db.close();
    throw openFault(error, path, true);
  }
}

function openFile({ path, inMemory, readOnly, durability }: Settings): Sqlite.Database {
  if (!inMemory && !readOnly) {
    mkdirSync(dirname(path), { recursive: true });
    refuseSeveralNames(path);
  }
  const db = new Sqlite(path, { readonly: readOnly, timeout: BLOCKING_MS });
  if (inMemory || readOnly) return db;
  try {
    // In WAL mode readers and the writer do not wait for each other. File systems that cannot do it keep the older journal.
    db.pragma("journal_mode = WAL");
    db.pragma(`synchronous = ${durability === "full" ? "FULL" : "NORMAL"}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * SQLite names the log after the name by which the database was opened. Two programs that open it by two hard links each
 * write a log that the other does not see, and destroy the database.
 */
function refuseSeveralNames(path: string): void {
  const names = statSync(path, { throwIfNoEntry: false })?.nlink ?? 1;
  if (names < 2 || statSync(path).isDirectory()) return;
  throw new Refusal(
    "KV_UNAVAILABLE",
    `${path} has ${names} names (hard links), and SQLite keeps a write-ahead log for each: programs that open it by different ` +
      "names destroy it. Delete the other names, or use a copy",
  );
}

/** Reported as a held lock: our writes would join the owner's transaction, and might be rolled back with it. */
export function ownersTransaction(): Error {
  return Object.assign(new Error("the owner of the option database has a transaction open"), {
    code: "SQLITE_BUSY",
  });
}
