import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { Refusal } from "@kv/core";
import Sqlite from "better-sqlite3";
import { isBusy, isOutOfReach, openFault } from "../errors.ts";
import type { Settings } from "../options.ts";
import { prepareSchema, type Tables } from "../stored/schema.ts";
import type { Guard } from "./file-guard.ts";
import { type ReadOnlyCopy, readOnlyCopy } from "./read-only-copy.ts";

/** Milliseconds that SQLite itself may wait for a lock, blocking the event loop: enough for another's usual write. */
const BLOCKING_MS = 2;

export interface Connected {
  readonly db: Sqlite.Database;
  /** Where the database was read into memory: what notices that its file was changed since. */
  readonly guard: Guard | undefined;
}

/** The database with our tables in it. @throws Refusal where it cannot be; the driver's error where it is locked */
export function connect(settings: Settings, tables: Tables): Connected {
  const { path, database, readOnly } = settings;
  if (database?.open === false) {
    throw new Refusal(
      "KV_UNAVAILABLE",
      "the database that was handed in is closed; open it before the store and close it after",
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
    // Readers and the writer do not wait for each other. Some file systems cannot, and then keep the older journal.
    db.pragma("journal_mode = WAL");
    db.pragma(`synchronous = ${durability === "full" ? "FULL" : "NORMAL"}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * SQLite calls the log after the name that the database was opened by. Two programs that open it by two hard links write
 * two logs, of which neither knows the other's, and destroy the database.
 */
function refuseSeveralNames(path: string): void {
  const names = statSync(path, { throwIfNoEntry: false })?.nlink ?? 1;
  if (names < 2 || statSync(path).isDirectory()) return;
  throw new Refusal(
    "KV_UNAVAILABLE",
    `${path} has ${names} names (hard links), and SQLite keeps a write-ahead log for each: two programs that open it by different ` +
      "names destroy it. Replace the link by a copy, or delete the other names",
  );
}

/** As if somebody else had the lock: what we would write belonged to the owner's transaction, and might be rolled back with it. */
export function ownersTransaction(): Error {
  return Object.assign(new Error("the database that was handed in has a transaction open"), {
    code: "SQLITE_BUSY",
  });
}
