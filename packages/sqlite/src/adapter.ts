import type {
  Adapter,
  AdapterStats,
  Bounds,
  Capabilities,
  ChangeListener,
  Commit,
  CommitResult,
  Filter,
  KvErrorCode,
  MaybePromise,
  Namespace,
  Pages,
  Range,
  StoredEntry,
} from "@kv/core";
import { isPromise } from "@kv/core";
import type { SqliteNative } from "./backup/backup.ts";
import { LostFiles } from "./connection/file-guard.ts";
import { patiently } from "./connection/write-queue.ts";
import { errorCode, isBusy } from "./errors.ts";
import { type Settings, type SqliteOptions, settingsOf } from "./options.ts";
import { type NextPage, pagesOf } from "./read/pages.ts";
import { Session } from "./session.ts";

/**
 * Stores entries in a SQLite file, which several processes may share.
 * @throws KvError `KV_INVALID_OPTION`
 */
export function sqlite(options: SqliteOptions): Adapter {
  return new SqliteAdapter(settingsOf(options));
}

class SqliteAdapter implements Adapter {
  readonly name = "sqlite";
  readonly form = "text";
  readonly capabilities: Capabilities;
  /** Reads gain nothing from a batch; the transaction takes most of a write's time, so writes share one. */
  readonly batch = { read: false, commit: true };
  readonly clock: () => number;
  readonly native: SqliteNative = {
    backend: "sqlite",
    backup: (path, options) => this.#session.backup(path, options),
  };
  readonly #settings: Settings;
  #opened: Session | undefined;

  constructor(settings: Settings) {
    const { clock, inMemory, readOnly } = settings;
    this.#settings = settings;
    this.clock = clock;
    this.capabilities = {
      persistent: !inMemory,
      shared: !inMemory,
      ordered: true,
      snapshotScans: false,
      atomic: "namespace",
      linearizable: true,
      // Watchers register themselves in the database.
      watch: readOnly ? false : inMemory ? "local" : "shared",
    };
  }

  get #session(): Session {
    if (this.#opened === undefined) throw new Error("the sqlite adapter is not open");
    return this.#opened;
  }

  open(): MaybePromise<void> {
    const { path, busyTimeout } = this.#settings;
    return patiently(
      () => {
        this.#opened = new Session(this.#settings);
      },
      path,
      busyTimeout,
    );
  }

  async close(): Promise<void> {
    const session = this.#opened;
    this.#opened = undefined;
    await session?.close();
  }

  read(
    namespace: Namespace,
    keys: readonly string[],
    payloadsOnly = false,
  ): MaybePromise<(StoredEntry | undefined)[]> {
    const { reader, queue } = this.#session;
    try {
      return reader.read(namespace, keys, payloadsOnly);
    } catch (error) {
      if (!isBusy(error)) throw this.#session.explained(error);
      return queue.read(() => reader.read(namespace, keys, payloadsOnly));
    }
  }

  commit(namespace: Namespace, commits: readonly Commit[]): MaybePromise<CommitResult[]> {
    if (commits.length === 0) return [];
    const { writer, queue, guard } = this.#session;
    guard?.wrote();
    const results: CommitResult[] = [];
    const done = queue.run(() => writer.step(namespace, commits, results));
    if (!isPromise(done)) return done;
    return done.catch((error: unknown) => {
      if (results.length === 0 || error instanceof LostFiles) throw error;
      // The first part of a long batch was committed; the rest failed.
      while (results.length < commits.length) results.push({ status: "error", error });
      return results;
    });
  }

  scan(namespace: Namespace, range: Range): Pages<StoredEntry> {
    const { namespaces, scanner } = this.#session;
    return this.#pages(() => {
      const id = namespaces.look(namespace);
      return id === undefined ? undefined : scanner.pages(id, range);
    });
  }

  #pages<T>(begin: () => NextPage<T> | undefined): Pages<T> {
    const { queue, readersWait, guard } = this.#session;
    guard?.check();
    return pagesOf(begin, readersWait, (work) => queue.read(work));
  }

  count(namespace: Namespace, bounds: Bounds): MaybePromise<number> {
    const { tally, guard } = this.#session;
    guard?.check();
    return tally.count(namespace, bounds);
  }

  clear(namespace: Namespace, filter: Filter): MaybePromise<number> {
    const { clearing, guard } = this.#session;
    guard?.wrote();
    return clearing.clear(namespace, filter);
  }

  namespaces(under: Namespace): Pages<Namespace> {
    const { namespaces } = this.#session;
    return this.#pages(() => namespaces.living(under, this.clock));
  }

  watch(
    namespace: Namespace,
    bounds: Bounds,
    listener: ChangeListener,
    othersOnly = false,
  ): Promise<() => void> {
    return this.#session.feed.watch(namespace, bounds, listener, othersOnly);
  }

  async stats(namespace: Namespace, bounds: Bounds): Promise<AdapterStats> {
    const session = this.#session;
    const totals = await session.tally.totals(namespace, bounds);
    return { ...totals, backend: await session.queue.read(() => session.describe()) };
  }

  sweep(): Promise<number> {
    return this.#session.sweep();
  }

  errorCode(error: unknown): KvErrorCode | undefined {
    return errorCode(error);
  }
}
