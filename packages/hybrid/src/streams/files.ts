import {
  type Duration,
  KvError,
  refuseUnknownOptions,
  type StoreReader,
  type ViewAccess,
  viewAccess,
} from "@kv/core";
import { type BackupOptions, backup } from "../backup/backup.ts";
import type { BackupReport } from "../backup/backup-writer.ts";
import { FileStore } from "../file-store.ts";
import { durationOf } from "../options.ts";
import { type FileMetadata, fileMetadata } from "../stored/file-metadata.ts";
import type { CollectReport } from "../upkeep/collector.ts";
import type { VerifyReport } from "../upkeep/verifier.ts";
import { type ByteRange, type FileStream, StreamReader } from "./stream-reader.ts";
import { abandon, attend, type StreamSource } from "./stream-source.ts";
import { type SetStreamOptions, StreamWriter } from "./stream-writer.ts";

export interface GetStreamOptions {
  /**
   * The bytes to read: half-open and clipped, as in `Blob.slice`. Default: all. A partial range is not checked
   * against the checksum.
   */
  readonly range?: ByteRange | undefined;
  /** Ends the stream with `KV_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

export interface CollectOptions {
  /**
   * How long files that no entry names are kept, in place and then in quarantine; `0`: not at all. Default: the
   * adapter's `grace`.
   */
  readonly grace?: Duration | 0 | undefined;
}

/**
 * The functions of a hybrid store beyond those of every store. Keys are those of the view it was made from. Every refusal
 * is a rejected promise.
 */
export interface StoreFiles {
  /**
   * Stores the bytes of a stream as a value, of any size and in constant memory. Returns the new revision. It takes effect
   * when the source has ended; until then readers find the old value. If the source fails, nothing is written. The store's
   * `timeout` applies only to the commit and, once the store is being closed, to a source that yields nothing, which is
   * then given up on with `KV_CLOSED`. `KV_UNSUPPORTED` on a view that validates by a schema.
   */
  setStream(key: string, source: StreamSource, options?: SetStreamOptions): Promise<string>;
  /** The value as a stream, in constant memory, even if it was not written as one; `undefined`: the key is absent. */
  getStream(key: string, options?: GetStreamOptions): Promise<FileStream | undefined>;
  /** The store's metadata and those of the file. Reads no file. `undefined`: the key is absent. */
  getMetadata(key: string): Promise<FileMetadata | undefined>;
  /** Reads every file that an entry of any namespace names, and compares it with its checksum. Changes nothing. */
  verify(): Promise<VerifyReport>;
  /**
   * Makes a consistent copy of index and files while the store is in use: first `options.index` is called, then all files
   * are copied into the directory `path`. Meanwhile no process collects files. The directory gets its name when it is
   * complete and on the disk; before, it must not exist, or be empty. To restore, see the README.
   * @throws KvError `KV_INVALID_OPTION` if `path` holds files already; `KV_CAPACITY` if its disk is full; `KV_ABORTED`;
   *   `KV_UNAVAILABLE`; the errors of `options.index` and `options.onProgress`
   */
  backup(path: string, options: BackupOptions): Promise<BackupReport>;
  /** Removes the files that no entry names any more, in the whole directory. All processes may go on writing meanwhile. */
  collect(options?: CollectOptions): Promise<CollectReport>;
}

const GET_OPTIONS: ReadonlySet<string> = new Set(["range", "signal"]);
const COLLECT_OPTIONS: ReadonlySet<string> = new Set(["grace"]);

/**
 * Streams, verification and collection of a hybrid store, or of a view (namespace, scope) of one.
 * @throws KvError `KV_UNSUPPORTED` if the store is not hybrid, or has a middleware that changes or measures values
 *   (`compression`, `encryption`, `sizeLimit`, `bounded`), which streams would bypass; `KV_INVALID_OPTION` if it is not a store
 */
export function files(store: StoreReader): StoreFiles {
  const { access, fileStore } = opened(store);
  const writer = new StreamWriter(fileStore, access);
  const reader = new StreamReader(fileStore, access);
  return {
    setStream(key, source, options = {}) {
      attend(source);
      const operation = { operation: "setStream", key, writes: true, signal: options?.signal };
      return access
        .operate(operation, (stored) => writer.write(stored, source, options))
        .catch((error: unknown) => {
          abandon(source);
          throw error;
        });
    },
    getStream(key, options = {}) {
      const signal = options?.signal;
      return access.operate({ operation: "getStream", key, signal }, async (stored) => {
        refuseUnknownOptions(options, GET_OPTIONS, "getStream");
        const found = await reader.read(stored, key, options.range ?? {});
        if (found !== undefined && signal !== undefined) endOnAbort(found, signal, access, key);
        return found;
      });
    },
    getMetadata(key) {
      return access.operate({ operation: "getMetadata", key }, async (stored) => {
        const entry = await reader.entry(stored);
        return entry && fileMetadata(entry, access.metadata(entry));
      });
    },
    backup: (path, options) => backup(fileStore, access, path, options),
    verify: () => access.operate({ operation: "verify" }, () => fileStore.verifier.verify()),
    collect(options = {}) {
      return access.operate({ operation: "collect", writes: true }, async () => {
        refuseUnknownOptions(options, COLLECT_OPTIONS, "collect");
        const { grace } = options;
        if (grace === undefined) return fileStore.collect(fileStore.settings.grace);
        return fileStore.collect(grace === 0 ? 0 : durationOf(grace, "grace"));
      });
    },
  };
}

function opened(store: StoreReader): { readonly access: ViewAccess; readonly fileStore: FileStore } {
  let access: ViewAccess;
  try {
    access = viewAccess(store);
  } catch (cause) {
    const message = "files() needs a store, or a view of one";
    throw new KvError("KV_INVALID_OPTION", { adapter: "hybrid", operation: "files", message, cause });
  }
  const { native, name } = access.adapter;
  if (native instanceof FileStore) return { access, fileStore: native };
  throw new KvError("KV_UNSUPPORTED", {
    adapter: name,
    operation: "files",
    message: whyNoFileStore(name, native),
  });
}

function whyNoFileStore(name: string, native: unknown): string {
  if (name !== "hybrid") return "this store has no files: it needs hybrid() of @kv/hybrid as its adapter";
  return native === undefined
    ? "a middleware of this store changes or measures values (compression, encryption, sizeLimit, bounded), and streams would bypass it; use a store without it"
    : "hybrid() and files() come from two copies of @kv/hybrid; install one version of it (npm ls @kv/hybrid shows both)";
}

function endOnAbort({ stream }: FileStream, signal: AbortSignal, access: ViewAccess, key: string): void {
  const abort = (): void => {
    const error = new KvError("KV_ABORTED", {
      adapter: access.adapter.name,
      operation: "getStream",
      key,
      message: "the signal was aborted",
      cause: signal.reason,
    });
    stream.destroy(error);
  };
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  stream.once("close", () => signal.removeEventListener("abort", abort));
}
