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
  Life,
  MaybePromise,
  Namespace,
  Pages,
  Range,
  StoredEntry,
} from "@kv/core";
import { isPromise, lifeOf, Refusal } from "@kv/core";
import { concurrently } from "./concurrently.ts";
import { FileStore } from "./file-store.ts";
import { type HybridOptions, type Settings, settingsOf } from "./options.ts";
import { WholeChanges } from "./read/whole-changes.ts";
import { encodingOf, isOfFile, referenceIn, unreadable, withContent } from "./stored/reference.ts";

/** The most files read at a time. */
const FILES_AT_ONCE = 8;
/** A page of a scan ends once it has this many bytes of files. */
const PAGE_BYTES = 4 * 2 ** 20;

/**
 * Two stores in one: `index` keeps keys, small values and deadlines, and makes commits atomic; large values are in files of
 * `directory`. Several processes may share it if they may share the index. `files(store)` has its further functions:
 * streams, verification, collection and backup.
 * @throws KvError `KV_INVALID_OPTION`
 */
export function hybrid(options: HybridOptions): Adapter {
  return new HybridAdapter(settingsOf(options));
}

class HybridAdapter implements Adapter {
  readonly name = "hybrid";
  readonly form: Adapter["form"];
  readonly capabilities: Capabilities;
  readonly batch: Adapter["batch"];
  readonly clock: () => number;
  readonly syncClock?: NonNullable<Adapter["syncClock"]>;
  readonly native: FileStore;
  readonly watch?: NonNullable<Adapter["watch"]>;
  readonly #settings: Settings;
  readonly #index: Adapter;
  /** Other stores may use the index, too: a backup copies it through its own store. */
  readonly #life: Life;

  constructor(settings: Settings) {
    const { index } = settings;
    this.#settings = settings;
    this.#index = index;
    this.#life = lifeOf(index);
    this.form = index.form;
    // An index may scan a snapshot, but the files of entries replaced since then may have been collected.
    this.capabilities = { ...index.capabilities, snapshotScans: false };
    this.batch = index.batch;
    this.clock = () => index.clock();
    if (index.syncClock !== undefined) this.syncClock = index.syncClock.bind(index);
    this.native = new FileStore(settings);
    if (index.watch !== undefined) this.watch = (...args) => this.#watch(...args);
  }

  async open(): Promise<void> {
    await this.#life.open();
    try {
      await this.native.open();
    } catch (error) {
      await this.#life.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.native.close();
    await this.#life.close();
  }

  read(
    namespace: Namespace,
    keys: readonly string[],
    payloadsOnly?: boolean,
  ): MaybePromise<(StoredEntry | undefined)[]> {
    const found = this.#index.read(namespace, keys, payloadsOnly);
    return isPromise(found)
      ? found.then((entries) => this.#whole(namespace, entries))
      : this.#whole(namespace, found);
  }

  #whole(
    namespace: Namespace,
    entries: (StoredEntry | undefined)[],
  ): MaybePromise<(StoredEntry | undefined)[]> {
    if (!entries.some(hasFile)) return entries;
    return concurrently(entries, FILES_AT_ONCE, async (entry) =>
      hasFile(entry) ? this.native.resolver.whole(namespace, entry) : entry,
    );
  }

  peek(namespace: Namespace, keys: readonly string[]): MaybePromise<(StoredEntry | undefined)[]> {
    const { peek } = this.#index;
    const found =
      peek === undefined ? this.#index.read(namespace, keys) : peek.call(this.#index, namespace, keys);
    return isPromise(found) ? found.then((entries) => entries.map(sized)) : found.map(sized);
  }

  commit(namespace: Namespace, commits: readonly Commit[]): MaybePromise<CommitResult[]> {
    return this.native.committer.commit(namespace, commits);
  }

  scan(namespace: Namespace, range: Range): Pages<StoredEntry> {
    return range.keysOnly ? this.#index.scan(namespace, range) : this.#wholePages(namespace, range);
  }

  /**
   * Yields up to the range's limit of entries. Entries that vanished while their files were read are replaced by the
   * next ones.
   */
  async *#wholePages(namespace: Namespace, range: Range): AsyncGenerator<StoredEntry[], void, undefined> {
    const rest = new Rest(range);
    do yield* this.#pagesOf(namespace, rest);
    while (this.capabilities.ordered && rest.renew());
  }

  /** Yields the index's pages, divided so that none has much more than `PAGE_BYTES` of files. */
  async *#pagesOf(namespace: Namespace, rest: Rest): AsyncGenerator<StoredEntry[], void, undefined> {
    for await (const page of this.#index.scan(namespace, rest.range)) {
      let part: StoredEntry[] = [];
      let bytes = 0;
      for (const entry of page) {
        part.push(entry);
        bytes += bytesToRead(entry);
        if (bytes < PAGE_BYTES) continue;
        yield rest.told(part, await this.#present(namespace, part));
        part = [];
        bytes = 0;
      }
      if (part.length > 0) yield rest.told(part, await this.#present(namespace, part));
    }
  }

  async #present(namespace: Namespace, entries: StoredEntry[]): Promise<StoredEntry[]> {
    return (await this.#whole(namespace, entries)).filter((entry) => entry !== undefined);
  }

  count(namespace: Namespace, bounds: Bounds): MaybePromise<number> {
    return this.#index.count(namespace, bounds);
  }

  clear(namespace: Namespace, filter: Filter): MaybePromise<number> {
    return this.#index.clear(namespace, filter);
  }

  namespaces(under: Namespace): Pages<Namespace> {
    return this.#index.namespaces(under);
  }

  async #watch(
    namespace: Namespace,
    bounds: Bounds,
    listener: ChangeListener,
    othersOnly?: boolean,
  ): Promise<() => void> {
    const whole = new WholeChanges(this.native.resolver, namespace, listener);
    const receive: ChangeListener = (changes) => whole.receive(changes);
    const unwatch = await this.#index.watch?.(namespace, bounds, receive, othersOnly);
    return () => {
      whole.end();
      unwatch?.();
    };
  }

  async stats(namespace: Namespace, bounds: Bounds): Promise<AdapterStats> {
    const { keys, expiring, evictable, backend } = await this.#index.stats(namespace, bounds);
    const { directory } = this.#settings;
    // The index counts the bytes of references, not of values.
    return {
      keys,
      expiring,
      evictable,
      bytes: undefined,
      backend: { ...backend, index: this.#index.name, directory },
    };
  }

  async sweep(): Promise<number> {
    const removed = await this.#index.sweep();
    this.native.collectIfDue();
    return removed;
  }

  errorCode(error: unknown): KvErrorCode | undefined {
    return this.#index.errorCode(error);
  }
}

/** The part of a limited range that is still to be returned. */
class Rest {
  range: Range;
  #read = 0;
  #vanished = 0;
  #last: string | undefined;

  constructor(range: Range) {
    this.range = range;
  }

  /** Records a page: the entries read and those of them still there, which it returns. */
  told(read: readonly StoredEntry[], there: StoredEntry[]): StoredEntry[] {
    this.#read += read.length;
    this.#vanished += read.length - there.length;
    this.#last = read.at(-1)?.key;
    return there;
  }

  /** Moves the range behind the entries read, if some of them vanished and there may be more. Returns whether it did. */
  renew(): boolean {
    const { limit, reverse } = this.range;
    const last = this.#last;
    const limited = this.#read >= limit;
    const missing = this.#vanished;
    this.#read = 0;
    this.#vanished = 0;
    if (missing === 0 || !limited || last === undefined) return false;
    this.range = { ...this.range, limit: missing, ...(reverse ? { end: last } : { start: `${last}\0` }) };
    return true;
  }
}

function hasFile(entry: StoredEntry | undefined): entry is StoredEntry {
  return entry !== undefined && isOfFile(entry);
}

/** An entry with the encoding and the size of its value, without the payload. */
function sized(entry: StoredEntry | undefined): StoredEntry | undefined {
  if (!hasFile(entry)) return entry;
  const reference = referenceIn(entry.payload);
  if (reference instanceof Refusal) return unreadable(entry, reference);
  return withContent(entry, { payload: undefined, encoding: encodingOf(entry), size: reference.size });
}

function bytesToRead(entry: StoredEntry): number {
  const reference = isOfFile(entry) ? referenceIn(entry.payload) : undefined;
  return reference === undefined || reference instanceof Refusal ? 0 : reference.size;
}
