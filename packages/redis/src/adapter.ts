import {
  type Adapter,
  type AdapterStats,
  type Bounds,
  type Capabilities,
  type ChangeListener,
  type Commit,
  type CommitResult,
  type Filter,
  type KvErrorCode,
  type Namespace,
  type Pages,
  type Range,
  Refusal,
  type StoredEntry,
} from "@kv/core";
import { errorCode } from "./errors.ts";
import { type RedisOptions, type Settings, settingsOf } from "./options.ts";
import { Session } from "./session.ts";

/**
 * A store in Redis or Valkey: one server, a master found through Sentinels, or a Cluster. Needs version 6.2 or newer.
 * @throws KvError `KV_INVALID_OPTION`
 */
export function redis(options?: RedisOptions): Adapter {
  return new RedisAdapter(settingsOf(options));
}

class RedisAdapter implements Adapter {
  readonly name = "redis";
  readonly form = "text";
  readonly capabilities: Capabilities;
  /** A round trip costs more than the work at its end, so all calls of a tick share one. */
  readonly batch = { read: true, commit: true };
  readonly #settings: Settings;
  #opened: Session | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.capabilities = {
      persistent: true,
      shared: true,
      ordered: settings.ordered,
      snapshotScans: false,
      atomic: settings.partitions === 1 ? "namespace" : "partition",
      linearizable: true,
      watch: "shared",
    };
  }

  /** The server's time, by which deadlines are kept. */
  readonly clock = (): number => this.#opened?.now() ?? Date.now();
  /** The clock is measured with every connection, with every sweep, and after this machine's clocks have diverged. */
  readonly syncClock = (): Promise<void> | undefined => this.#opened?.syncClock();

  get #session(): Session {
    if (this.#opened === undefined) throw new Error("the redis adapter is not open");
    return this.#opened;
  }

  async open(): Promise<void> {
    this.#opened = await Session.open(this.#settings);
  }

  async close(): Promise<void> {
    this.#opened?.close();
    this.#opened = undefined;
  }

  read(namespace: Namespace, keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    return this.#session.reader.read(namespace, keys);
  }

  commit(namespace: Namespace, commits: readonly Commit[]): Promise<CommitResult[]> {
    return this.#session.writer.commit(namespace, commits);
  }

  scan(namespace: Namespace, range: Range): Pages<StoredEntry> {
    this.#assertOrdered("a range");
    return this.#session.scanner.scan(namespace, range);
  }

  async count(namespace: Namespace, bounds: Bounds): Promise<number> {
    if (this.#settings.ordered) return this.#session.tally.count(namespace, bounds);
    this.#assertWhole(bounds);
    return this.#session.unordered.count(namespace);
  }

  async clear(namespace: Namespace, filter: Filter): Promise<number> {
    if (this.#settings.ordered) return this.#session.eraser.clear(namespace, filter);
    this.#assertWhole(filter);
    return this.#session.unordered.clear(namespace, filter);
  }

  namespaces(under: Namespace): Pages<Namespace> {
    const { namespaces, unordered } = this.#session;
    return this.#settings.ordered ? namespaces.below(under) : unordered.below(under);
  }

  watch(namespace: Namespace, bounds: Bounds, listener: ChangeListener): Promise<() => void> {
    return this.#session.feed.watch(namespace, bounds, listener);
  }

  async stats(namespace: Namespace, bounds: Bounds): Promise<AdapterStats> {
    const { tally, unordered } = this.#session;
    if (!this.#settings.ordered) this.#assertWhole(bounds);
    const [totals, backend] = await Promise.all([
      this.#settings.ordered ? tally.totals(namespace, bounds) : unordered.totals(namespace),
      this.#session.facts.report(),
    ]);
    return { ...totals, backend };
  }

  async sweep(): Promise<number> {
    const { agreement, sweeper } = this.#session;
    await this.#session.measureClock();
    // In a Cluster only the descriptor's node may have been emptied, which no write notices.
    await agreement.reach();
    // Without an index, nothing remains of an entry that the server has dropped.
    return this.#settings.ordered ? sweeper.sweep() : 0;
  }

  errorCode(error: unknown): KvErrorCode | undefined {
    return errorCode(error);
  }

  #assertWhole({ start, end }: Bounds): void {
    if (start !== "" || end !== undefined) this.#assertOrdered("a part of a namespace");
  }

  #assertOrdered(what: string): void {
    if (this.#settings.ordered) return;
    throw new Refusal(
      "KV_UNSUPPORTED",
      `${what} needs the index of keys, which the option ordered: false switches off; open the store with ordered: true`,
    );
  }
}
