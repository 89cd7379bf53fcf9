import { KvError, type StoreReader, type ViewAccess, viewAccess } from "@kv/core";

export interface BackupProgress {
  /** Bytes of the database copied so far. */
  readonly bytes: number;
  /** Bytes to copy in all. Grows with a database in memory, which is copied without a snapshot. */
  readonly totalBytes: number;
}

export interface BackupReport {
  /** The size of the copy. */
  readonly bytes: number;
}

export interface BackupOptions {
  /** Aborting it ends the backup with `KV_ABORTED`, after the unfinished copy is removed. */
  readonly signal?: AbortSignal | undefined;
  /** Called after about every megabyte, in the caller's async context. If it throws, the backup rejects with that error. */
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
}

/** What the adapter offers beyond the contract. Recognized by its shape, as it may come from another copy of this package. */
export interface SqliteNative {
  readonly backend: "sqlite";
  backup(path: string, options: BackupOptions): Promise<BackupReport>;
}

/**
 * Copies the database of a store over `sqlite()` into a new file while it is in use, by SQLite's online backup: the whole
 * database, with all namespaces and with tables that are not the store's, as of one moment. Writes called before are in the
 * copy. Writers do not wait for it, the event loop is never blocked for long, and a database in memory can be copied, too.
 *
 * The copy is made under another name beside `path`, and gets its name when it is complete and on the disk. It is one
 * file, without a log, and also readable on a read-only medium. To restore it, see the README.
 *
 * A database handed in with a rollback journal is copied through its own connection instead: the copy restarts whenever
 * another process writes, and waits while its owner's transaction is open.
 *
 * @param store the store, or any view of it, read-only ones included: the whole database is copied in any case
 * @param path a file that does not exist yet; its directory is made
 * @throws KvError `KV_INVALID_OPTION` if `path` exists, or an option is invalid; `KV_UNSUPPORTED` if the store is not over
 *   `sqlite()`, or a middleware changes or measures what is stored; `KV_CAPACITY` if the disk is full; `KV_UNAVAILABLE` if
 *   `path` cannot be written, or the store's own files are gone; `KV_ABORTED`; `KV_CLOSED`
 */
export async function backup(
  store: StoreReader,
  path: string,
  options: BackupOptions = {},
): Promise<BackupReport> {
  const { access, native } = nativeOf(store);
  const progress = new Progress(options.onProgress);
  try {
    return await access.operate({ operation: "backup" }, async () => {
      await access.settled();
      return native.backup(path, { ...options, onProgress: progress.report });
    });
  } catch (error) {
    throw progress.failed ? progress.thrown : error;
  }
}

/** Calls the caller's function, and keeps its error, which must reach the caller unwrapped. */
class Progress {
  failed = false;
  thrown: unknown;
  readonly report: BackupOptions["onProgress"];

  constructor(onProgress: BackupOptions["onProgress"]) {
    // Anything but a function is refused with the other options.
    this.report =
      typeof onProgress !== "function" ? onProgress : (progress) => this.#call(onProgress, progress);
  }

  #call(onProgress: (progress: BackupProgress) => void, progress: BackupProgress): void {
    try {
      onProgress(progress);
    } catch (error) {
      this.failed = true;
      this.thrown = error;
      throw error;
    }
  }
}

function nativeOf(store: StoreReader): { readonly access: ViewAccess; readonly native: SqliteNative } {
  let access: ViewAccess;
  try {
    access = viewAccess(store);
  } catch (cause) {
    const message = "backup() needs a store, or a view of one, as its first argument";
    throw new KvError("KV_INVALID_OPTION", { adapter: "sqlite", operation: "backup", message, cause });
  }
  const { native, name } = access.adapter;
  if (isSqlite(native)) return { access, native };
  const message =
    name === "sqlite"
      ? "backup() cannot pass a middleware that changes or measures what is stored (compression, encryption, sizeLimit, bounded); make a second store over the same sqlite() adapter without it, and back up that one, which copies the stored data as they are"
      : `backup() of @kv/sqlite needs a store over sqlite(); this one is over ${name}`;
  throw new KvError("KV_UNSUPPORTED", { adapter: name, operation: "backup", message });
}

function isSqlite(native: unknown): native is SqliteNative {
  return typeof native === "object" && native !== null && "backend" in native && native.backend === "sqlite";
}
