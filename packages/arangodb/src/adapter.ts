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
  Namespace,
  Pages,
  Range,
  StoredEntry,
} from "@kv/core";
import { errorCode } from "./errors.ts";
import { type ArangodbOptions, type Settings, settingsOf } from "./options.ts";
import { Session } from "./session.ts";

/**
 * A store in ArangoDB, whose entries are documents that can be read and queried: a single server, or a database on one
 * shard of a cluster. Needs version 3.12.4 or newer.
 * @throws KvError `KV_INVALID_OPTION`
 */
export function arangodb(options?: ArangodbOptions): Adapter {
  return new ArangodbAdapter(settingsOf(options));
}

export class ArangodbAdapter implements Adapter {
  readonly name = "arangodb";
  readonly form = "value";
  readonly capabilities: Capabilities = {
    persistent: true,
    shared: true,
    ordered: true,
    snapshotScans: false,
    atomic: "namespace",
    linearizable: true,
    watch: "shared",
  };
  /** A round trip costs more than the work at its end, so all calls of a tick share one. */
  readonly batch = { read: true, commit: true };
  /** Beyond the contract: `links` and `query` find the session here. */
  readonly native: this = this;
  readonly #settings: Settings;
  #opened: Session | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** The server's time, which deadlines follow; before the adapter is open, this machine's. */
  readonly clock = (): number => this.#opened?.clock.now() ?? Date.now();

  readonly syncClock = (): Promise<void> | undefined => this.#opened?.clock.sync();

  /** The name of the collection of entries. */
  get collection(): string {
    return this.#settings.collection;
  }

  get session(): Session {
    if (this.#opened === undefined) throw new Error("the arangodb adapter is not open");
    return this.#opened;
  }

  async open(): Promise<void> {
    this.#opened = await Session.open(this.#settings);
  }

  async close(): Promise<void> {
    const session = this.#opened;
    this.#opened = undefined;
    await session?.close();
  }

  read(namespace: Namespace, keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    return this.session.reader.read(namespace, keys);
  }

  commit(namespace: Namespace, commits: readonly Commit[]): Promise<CommitResult[]> {
    return this.session.writer.commit(namespace, commits);
  }

  scan(namespace: Namespace, range: Range): Pages<StoredEntry> {
    return this.session.scanner.scan(namespace, range);
  }

  count(namespace: Namespace, bounds: Bounds): Promise<number> {
    return this.session.tally.count(namespace, bounds);
  }

  clear(namespace: Namespace, filter: Filter): Promise<number> {
    return this.session.eraser.clear(namespace, filter);
  }

  namespaces(under: Namespace): Pages<Namespace> {
    return this.session.namespaces.below(under);
  }

  watch(namespace: Namespace, bounds: Bounds, listener: ChangeListener): Promise<() => void> {
    return this.session.feed.watch(namespace, bounds, listener);
  }

  async stats(namespace: Namespace, bounds: Bounds): Promise<AdapterStats> {
    const [totals, backend] = await Promise.all([
      this.session.tally.totals(namespace, bounds),
      this.session.describe(),
    ]);
    return { ...totals, backend };
  }

  async sweep(): Promise<number> {
    return this.session.sweep();
  }

  errorCode(error: unknown): KvErrorCode | undefined {
    return errorCode(error);
  }
}
