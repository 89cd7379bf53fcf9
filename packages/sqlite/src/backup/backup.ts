import { KvError, type StoreReader, type ViewAccess, viewAccess } from "@kv/core";

export interface BackupProgress {
  /** Bytes of the database copied so far. */
  readonly bytes: number;
  /** Bytes that there are to copy. Grows with the database where that is copied without a snapshot: in memory. */
  readonly totalBytes: number;
}

export interface BackupReport {
  /** The size of the copy. */
  readonly bytes: number;
}

export interface BackupOptions {
  /** Ends the backup with `KV_ABORTED`, once what was written of it is removed. */
  readonly signal?: AbortSignal | undefined;
  /** Called after about every megabyte, in the caller's async context. If it throws, the backup fails with what it threw. */
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
}

/** What the adapter has beyond the contract. Told by its shape: it may be of another copy of this package. */
export interface SqliteNative {
  readonly backend: "sqlite";
  backup(path: string, options: BackupOptions): Promise<BackupReport>;
}

/**
 * Copies the database of a store over `sqlite()` into a new file while it is in use, by SQLite's online backup: the whole
 * database, with all its namespaces and with the tables of others, as of one moment. Writes that were called before are
 * in the copy. Writers do not wait for it, the event loop is never blocked for long, and a database in memory can be copied, too.
 *
 * The copy is made under another name beside `path`, and gets its name when it is complete and on the disk. It is one
 * file, without a log of its own, and also readable on a read-only medium. To restore it, see the README.
 *
 * A database that was handed in with a rollback journal is copied through its own connection instead: the copy begins anew
 * whenever another process writes, and waits while its owner's transaction is open.
 *
 * @param store the store, or any view of it, read-only ones included: it is always the whole database that is copied
 * @param path a file that does not exist yet; its directory is made
 * @throws KvError `KV_INVALID_OPTION` where there is something at `path` already, or an option is invalid;
 *   `KV_UNSUPPORTED` where the store is not over `sqlite()`, or a middleware changes or measures what is stored;
 *   `KV_CAPACITY` where the disk is full; `KV_UNAVAILABLE` where `path` cannot be written, or the store's own files are
 *   gone; `KV_ABORTED`; `KV_CLOSED`
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
      return native.backup(path, { ...options, onProgress: progress.told });
    });
  } catch (error) {
    throw progress.failed ? progress.thrown : error;
  }
}

/** The caller's function, what it threw being the caller's own. */
class Progress {
  failed = false;
  thrown: unknown;
  readonly told: BackupOptions["onProgress"];

  constructor(tell: BackupOptions["onProgress"]) {
    // What is no function is refused where the other options are.
    this.told = typeof tell !== "function" ? tell : (progress) => this.#tell(tell, progress);
  }

  #tell(tell: (progress: BackupProgress) => void, progress: BackupProgress): void {
    try {
      tell(progress);
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
    const message = "backup() needs a store, or a view of one";
    throw new KvError("KV_INVALID_OPTION", { adapter: "sqlite", operation: "backup", message, cause });
  }
  const { native, name } = access.adapter;
  if (isSqlite(native)) return { access, native };
  const message =
    name === "sqlite"
      ? "a middleware of this store changes or measures what is stored (compression, encryption, sizeLimit, bounded), and hides the database: make a second store over the same sqlite() adapter without it, and back up that one, which copies what is stored as it is"
      : `backup() of @kv/sqlite needs a store over sqlite(), and this one is over ${name}`;
  throw new KvError("KV_UNSUPPORTED", { adapter: name, operation: "backup", message });
}

function isSqlite(native: unknown): native is SqliteNative {
  return typeof native === "object" && native !== null && "backend" in native && native.backend === "sqlite";
}
