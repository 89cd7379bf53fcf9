import {
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { isError, Refusal, refuseUnknownOptions } from "@kv/core";
import type Sqlite from "better-sqlite3";
import { another, fileOf, isInWalMode } from "../connection/lineage.ts";
import { writeFault } from "../errors.ts";
import type { BackupOptions, BackupReport } from "./backup.ts";

const OPTIONS: ReadonlySet<string> = new Set(["signal", "onProgress"]);
/** Bytes copied between two turns of the event loop. */
const STEP_BYTES = 2 ** 20;
/** What SQLite would take for the copy's own, if it lay beside it. */
const COMPANIONS = ["-wal", "-shm", "-journal"] as const;

/** Copies the database of this connection. @throws Refusal; what SQLite or the caller's function threw */
export async function writeBackup(
  db: Sqlite.Database,
  path: string,
  options: BackupOptions,
): Promise<BackupReport> {
  check(path, options);
  refuseAborted(options.signal);
  const target = resolve(path);
  const temporary = `${target}.partial-${crypto.randomUUID()}`;
  let copying = false;
  try {
    refuseExisting(target);
    mkdirSync(dirname(target), { recursive: true });
    copying = true;
    await copyAtOnce(db, temporary, options);
    copying = false;
    const bytes = finish(db, temporary);
    name(temporary, target);
    syncDirectory(dirname(target));
    return { bytes };
  } catch (error) {
    for (const ending of ["", ...COMPANIONS]) removeQuietly(temporary + ending);
    throw copying && isOfSource(error, temporary) ? error : writeFault(error, target);
  }
}

/** As of one moment. */
async function copyAtOnce(db: Sqlite.Database, temporary: string, options: BackupOptions): Promise<void> {
  // Readers of a rollback journal would keep writers waiting; there, and in memory, SQLite begins anew where others write.
  if (fileOf(db) === "" || !isInWalMode(db) || isExclusive(db)) return copy(db, temporary, options);
  const source = another(db);
  try {
    source.exec("BEGIN");
    source.prepare("SELECT count(*) FROM sqlite_schema").get();
    await copy(source, temporary, options);
  } finally {
    source.close();
  }
}

/** Whether this connection lets no other one in. */
function isExclusive(db: Sqlite.Database): boolean {
  return db.pragma("locking_mode", { simple: true }) === "exclusive";
}

async function copy(
  source: Sqlite.Database,
  temporary: string,
  { signal, onProgress }: BackupOptions,
): Promise<void> {
  const pageSize = Number(source.pragma("page_size", { simple: true }));
  await source.backup(temporary, {
    progress({ totalPages, remainingPages }) {
      refuseAborted(signal);
      onProgress?.({ bytes: (totalPages - remainingPages) * pageSize, totalBytes: totalPages * pageSize });
      return Math.ceil(STEP_BYTES / pageSize);
    },
  });
}

/** Makes one file of the copy that needs no other, and sees it onto the disk. → its size */
function finish(db: Sqlite.Database, temporary: string): number {
  const Database = db.constructor as new (path: string) => Sqlite.Database;
  const copied = new Database(temporary);
  try {
    copied.pragma("journal_mode = DELETE");
  } finally {
    copied.close();
  }
  syncFile(temporary);
  return statSync(temporary).size;
}

/** Gives the copy its name, and takes it from no other file. */
function name(temporary: string, target: string): void {
  try {
    linkSync(temporary, target);
    unlinkSync(temporary);
  } catch {
    refuseExisting(target);
    // A file system without links.
    renameSync(temporary, target);
  }
}

function refuseExisting(target: string): void {
  for (const ending of ["", ...COMPANIONS]) {
    if (lstatSync(target + ending, { throwIfNoEntry: false }) === undefined) continue;
    const why = ending === "" ? "" : ", which would be taken for the copy's";
    throw new Refusal(
      "KV_INVALID_OPTION",
      `there is a file ${target}${ending} already${why}; choose another path, or delete it`,
    );
  }
}

function check(path: string, options: BackupOptions): void {
  if (typeof path !== "string" || path.trim() === "" || path === ":memory:" || path.includes("\0")) {
    throw new Refusal("KV_INVALID_OPTION", "backup() needs the path of a file to make");
  }
  if (path !== path.trimEnd()) {
    throw new Refusal("KV_INVALID_OPTION", "the path of a backup must not end in white space");
  }
  refuseUnknownOptions(options, OPTIONS, "backup()");
  const { signal, onProgress } = options;
  if (signal !== undefined && typeof signal?.aborted !== "boolean")
    throw new Refusal("KV_INVALID_OPTION", "the option signal must be an AbortSignal");
  if (onProgress !== undefined && typeof onProgress !== "function")
    throw new Refusal("KV_INVALID_OPTION", "the option onProgress must be a function");
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new Refusal("KV_ABORTED", "the signal was aborted", { cause: signal.reason });
}

/** Whether the database that is read is at fault, and not the place for the copy. */
function isOfSource(error: unknown, temporary: string): boolean {
  const code = isError(error) && "code" in error ? String(error.code) : "";
  if (["SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_NOMEM"].some((own) => code.startsWith(own))) return true;
  return code.startsWith("SQLITE_BUSY") && lstatSync(temporary, { throwIfNoEntry: false }) !== undefined;
}

/** What cannot be removed could not be made either, or has a name that says what it is. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {}
}

function syncFile(path: string): void {
  const descriptor = openSync(path, "r+");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** So that the name survives a loss of power. Windows cannot, and need not. */
function syncDirectory(path: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
