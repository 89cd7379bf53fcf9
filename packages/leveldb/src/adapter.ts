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
import type { BackupOptions, BackupReport, LeveldbNative } from "./backup/backup.ts";
import { errorCode } from "./errors.ts";
import { type LeveldbOptions, type Settings, settingsOf } from "./options.ts";
import { Session } from "./session.ts";

/**
 * Stores entries in a LevelDB database, which one process may use at a time.
 * @throws KvError `KV_INVALID_OPTION`
 */
export function leveldb(options: LeveldbOptions): Adapter {
  return new LeveldbAdapter(settingsOf(options));
}

class LeveldbAdapter implements Adapter {
  readonly name = "leveldb";
  readonly form = "text";
  readonly capabilities: Capabilities = {
    persistent: true,
    shared: false,
    ordered: true,
    snapshotScans: true,
    atomic: "namespace",
    linearizable: true,
    watch: "local",
  };
  /** Reads gain nothing from a batch; writes that go to the driver's thread together take as long as one. */
  readonly batch = { read: false, commit: true };
  readonly clock: () => number;
  readonly native: LeveldbNative = {
    backend: "leveldb",
    backup: (path, options) => this.#backup(path, options),
  };
  readonly #settings: Settings;
  #opened: Session | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.clock = settings.clock;
  }

  get #session(): Session {
    const session = this.#opened;
    if (session === undefined) throw new Error("the leveldb adapter is not open");
    if (session.custody.isLost) session.custody.demand();
    return session;
  }

  async open(): Promise<void> {
    this.#opened = await Session.open(this.#settings);
  }

  async close(): Promise<void> {
    const session = this.#opened;
    this.#opened = undefined;
    await session?.close();
  }

  read(namespace: Namespace, keys: readonly string[]): MaybePromise<(StoredEntry | undefined)[]> {
    const { reader, recovery } = this.#session;
    if (recovery.renewing === undefined) return reader.read(namespace, keys);
    const later = () => reader.read(namespace, keys);
    return recovery.renewing.then(later, later);
  }

  commit(namespace: Namespace, commits: readonly Commit[]): Promise<CommitResult[]> {
    const { queue, committer } = this.#session;
    return queue.run((work) => committer.apply(namespace, commits, work));
  }

  scan(namespace: Namespace, range: Range): Pages<StoredEntry> {
    return this.#session.scanner.scan(namespace, range);
  }

  count(namespace: Namespace, bounds: Bounds): Promise<number> {
    return this.#session.tally.count(namespace, bounds);
  }

  clear(namespace: Namespace, filter: Filter): Promise<number> {
    return this.#session.eraser.clear(namespace, filter);
  }

  namespaces(under: Namespace): Pages<Namespace> {
    return this.#session.namespaces.living(under);
  }

  async watch(namespace: Namespace, bounds: Bounds, listener: ChangeListener): Promise<() => void> {
    const { watchers, queue } = this.#session;
    const end = watchers.add(namespace, bounds, listener);
    // A write under way may have begun without a watcher, and is then not reported; yet no read has seen it.
    await queue.settled();
    return end;
  }

  async stats(namespace: Namespace, bounds: Bounds): Promise<AdapterStats> {
    const session = this.#session;
    return { ...(await session.tally.totals(namespace, bounds)), backend: session.describe() };
  }

  async sweep(): Promise<number> {
    const { custody, sweeper } = this.#session;
    custody.demand();
    return sweeper.sweep();
  }

  async #backup(path: string, options: BackupOptions): Promise<BackupReport> {
    const { recovery, queue, backups } = this.#session;
    // Writes under way in other namespaces belong in the copy, too.
    await queue.settled();
    await recovery.renewing;
    return backups.write(path, options);
  }

  errorCode(error: unknown): KvErrorCode | undefined {
    return errorCode(error);
  }
}
