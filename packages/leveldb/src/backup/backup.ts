import { KvError, type StoreReader, type ViewAccess, viewAccess } from "@kv/core";

export interface BackupProgress {
  /** Entries copied so far, of all namespaces. Expired ones that were not swept yet are copied and not counted. */
  readonly entries: number;
  /** Bytes of keys and values copied so far. */
  readonly bytes: number;
}

export interface BackupReport extends BackupProgress {
  /** Entries whose checksum does not match. They were copied unchanged: reading them is `KV_CORRUPT` in the copy, too. */
  readonly damaged: number;
}

export interface BackupOptions {
  /** Aborting it ends the backup with `KV_ABORTED`, after the unfinished copy is removed. */
  readonly signal?: AbortSignal | undefined;
  /** Called after every page of entries, in the caller's async context. If it throws, the backup rejects with that error. */
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
}

/** What the adapter offers beyond the contract. Recognized by its shape, as it may come from another copy of this package. */
export interface LeveldbNative {
  readonly backend: "leveldb";
  backup(path: string, options: BackupOptions): Promise<BackupReport>;
}

/**
 * Copies a store over `leveldb()` into a new directory while it is in use: every namespace, with deadlines, policies,
 * metadata and revisions, as of one moment. Writes called before are in the copy, those called later are not.
 *
 * The copy is made under another name beside `path`, and gets its name when it is complete and on the disk: a store found at
 * `path` is whole, also after a crash. Open it by `leveldb({ path, prefix })` with the prefix of the store. Keys of the
 * database that are not the store's, as those of another prefix, are not copied.
 *
 * @param store the store, or any view of it: the whole store is copied in any case
 * @param path a directory that does not exist yet, or is empty; its parent directories are made
 * @throws KvError `KV_INVALID_OPTION` if `path` is not empty, or an option is invalid; `KV_UNSUPPORTED` if the store is not
 *   over `leveldb()`, or a middleware changes or measures what is stored; `KV_CAPACITY` if the disk is full;
 *   `KV_UNAVAILABLE` if `path` cannot be written; `KV_ABORTED`; `KV_CLOSED`
 */
export async function backup(
  store: StoreReader,
  path: string,
  options: BackupOptions = {},
): Promise<BackupReport> {
  const { access, native } = nativeOf(store);
  const thrown: unknown[] = [];
  try {
    return await access.operate({ operation: "backup" }, async () => {
      await access.settled();
      return native.backup(path, { ...options, onProgress: recording(options.onProgress, thrown) });
    });
  } catch (error) {
    // An error of the caller's function reaches the caller unwrapped.
    throw thrown.length > 0 ? thrown[0] : error;
  }
}

function recording(onProgress: BackupOptions["onProgress"], thrown: unknown[]): BackupOptions["onProgress"] {
  // The adapter refuses anything but a function.
  if (typeof onProgress !== "function") return onProgress;
  return (progress) => {
    try {
      onProgress(progress);
    } catch (error) {
      thrown.push(error);
      throw error;
    }
  };
}

function nativeOf(store: StoreReader): { readonly access: ViewAccess; readonly native: LeveldbNative } {
  let access: ViewAccess;
  try {
    access = viewAccess(store);
  } catch (cause) {
    const message = "backup() needs a store, or a view of one, as its first argument";
    throw new KvError("KV_INVALID_OPTION", { adapter: "leveldb", operation: "backup", message, cause });
  }
  const { native, name } = access.adapter;
  if (isLeveldb(native)) return { access, native };
  const message =
    name === "leveldb"
      ? "backup() cannot pass a middleware that changes or measures what is stored (compression, encryption, sizeLimit, bounded); make a second store over the same leveldb() adapter without it, and back up that one, which copies the stored data as they are"
      : `backup() of @kv/leveldb needs a store over leveldb(); this one is over ${name}`;
  throw new KvError("KV_UNSUPPORTED", { adapter: name, operation: "backup", message });
}

function isLeveldb(native: unknown): native is LeveldbNative {
  return typeof native === "object" && native !== null && "backend" in native && native.backend === "leveldb";
}
