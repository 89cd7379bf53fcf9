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
  /** The bytes wanted: half-open and clipped, as in `Blob.slice`. Default: all. Bytes of a range are not held against the checksum. */
  readonly range?: ByteRange | undefined;
  /** Ends the stream, with `KV_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

export interface CollectOptions {
  /** How long files that no entry names are kept, in place and then in quarantine; `0`: not at all. Default: the adapter's `grace`. */
  readonly grace?: Duration | 0 | undefined;
}

/**
 * What a hybrid store can do beside what every store can. Keys are those of the view it was made from, and every
 * refusal is a rejected promise.
 */
export interface StoreFiles {
  /**
   * Stores what a stream yields as a value of bytes, of any size and in constant memory, → the new revision. It takes
   * effect when the source has ended; until then readers find what was there. Where the source fails nothing is written.
   * The store's `timeout` bounds the commit alone, and, once the store is being closed, how long the source may yield
   * nothing: then it is given up with `KV_CLOSED`. On a view that validates by a schema it is `KV_UNSUPPORTED`.
   */
  setStream(key: string, source: StreamSource, options?: SetStreamOptions): Promise<string>;
  /** The value as a stream, whichever way it was written, in constant memory; `undefined`: the key is absent. */
  getStream(key: string, options?: GetStreamOptions): Promise<FileStream | undefined>;
  /** As the store's, and what is known of the file. Reads no file. `undefined`: the key is absent. */
  getMetadata(key: string): Promise<FileMetadata | undefined>;
  /** Reads every file that an entry of any namespace names, and holds it against its checksum. Changes nothing. */
  verify(): Promise<VerifyReport>;
  /**
   * Copies index and files, while the store is in use, so that they fit together: first `options.index` is called, then all
   * files are copied into the directory `path`, and meanwhile no process collects any. The directory gets its name when
   * it is complete and on the disk; it must not exist, or be empty. To restore them, see the README.
   * @throws KvError `KV_INVALID_OPTION` where `path` holds files already; `KV_CAPACITY` where its disk is full;
   *   `KV_ABORTED`; `KV_UNAVAILABLE`; what `options.index` or `options.onProgress` threw
   */
  backup(path: string, options: BackupOptions): Promise<BackupReport>;
  /** Removes what no entry names any more, in the whole directory. Others may go on writing, in all processes. */
  collect(options?: CollectOptions): Promise<CollectReport>;
}

const GET_OPTIONS: ReadonlySet<string> = new Set(["range", "signal"]);
const COLLECT_OPTIONS: ReadonlySet<string> = new Set(["grace"]);

/**
 * Streams, verification and collection of a hybrid store, or of a view (namespace, scope) of one.
 * @throws KvError `KV_UNSUPPORTED` where the store is none, or a middleware changes or measures what is stored
 *   (`compression`, `encryption`, `sizeLimit`, `bounded`), which streams would go past; `KV_INVALID_OPTION` where it is no store
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
    ? "a middleware of this store changes or measures what is stored (compression, encryption, sizeLimit, bounded), and streams would go past it: use a store without it"
    : "hybrid() and files() are of two copies of @kv/hybrid; install one version of it (npm ls @kv/hybrid shows both)";
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
