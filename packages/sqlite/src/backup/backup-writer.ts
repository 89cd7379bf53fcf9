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
/** Endings of files that SQLite would take for the copy's own, if they lay beside it. */
const COMPANIONS = ["-wal", "-shm", "-journal"] as const;

/** Copies the database of this connection. @throws Refusal; the error of SQLite or of the caller's function */
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

/** Copies the state of one moment. */
async function copyAtOnce(db: Sqlite.Database, temporary: string, options: BackupOptions): Promise<void> {
  // With a rollback journal a reader would keep writers waiting; there, and in memory, SQLite restarts the copy after writes of others.
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

/** Whether this connection excludes all others. */
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

/** Makes the copy a single file that needs no log, and syncs it to the disk. Returns its size in bytes. */
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

/** Gives the copy its name, without replacing another file. */
function name(temporary: string, target: string): void {
  try {
    linkSync(temporary, target);
    unlinkSync(temporary);
  } catch {
    refuseExisting(target);
    // The file system has no hard links.
    renameSync(temporary, target);
  }
}

function refuseExisting(target: string): void {
  for (const ending of ["", ...COMPANIONS]) {
    if (lstatSync(target + ending, { throwIfNoEntry: false }) === undefined) continue;
    const why = ending === "" ? "" : ", which SQLite would take for the copy's own";
    throw new Refusal(
      "KV_INVALID_OPTION",
      `backup() found that ${target}${ending} exists already${why}; choose another path, or delete it`,
    );
  }
}

function check(path: string, options: BackupOptions): void {
  if (typeof path !== "string" || path.trim() === "" || path === ":memory:" || path.includes("\0")) {
    throw new Refusal("KV_INVALID_OPTION", "backup() needs a path: that of a file which does not exist yet");
  }
  if (path !== path.trimEnd()) {
    throw new Refusal("KV_INVALID_OPTION", "the path given to backup() must not end in white space");
  }
  refuseUnknownOptions(options, OPTIONS, "backup()");
  const { signal, onProgress } = options;
  if (signal !== undefined && typeof signal?.aborted !== "boolean")
    throw new Refusal("KV_INVALID_OPTION", "the option signal of backup() must be an AbortSignal");
  if (onProgress !== undefined && typeof onProgress !== "function")
    throw new Refusal("KV_INVALID_OPTION", "the option onProgress of backup() must be a function");
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new Refusal("KV_ABORTED", "the signal was aborted", { cause: signal.reason });
}

/** Whether the error came from reading the database, and not from writing the copy. */
function isOfSource(error: unknown, temporary: string): boolean {
  const code = isError(error) && "code" in error ? String(error.code) : "";
  if (["SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_NOMEM"].some((own) => code.startsWith(own))) return true;
  return code.startsWith("SQLITE_BUSY") && lstatSync(temporary, { throwIfNoEntry: false }) !== undefined;
}

/** A file that cannot be removed could not be made either, or is recognizable by its name. */
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

/** Makes the name survive a loss of power. Windows cannot sync a directory, and need not. */
function syncDirectory(path: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
