import {
  type Adapter,
  type AdapterStats,
  type Bounds,
  type Capabilities,
  type ChangeListener,
  type Commit,
  type CommitResult,
  delay,
  type Filter,
  type KvErrorCode,
  type MaybePromise,
  type Namespace,
  type Range,
  type StoredEntry,
} from "@kv/core";
import { Contents } from "./contents.ts";
import { reclaimSlice } from "./keyspace/reclaim.ts";
import { liveCount, tallyOf } from "./keyspace/tally.ts";
import { Evictions } from "./limits/evictions.ts";
import { Recency } from "./limits/recency.ts";
import { checkOptions, type MemoryOptions } from "./options.ts";
import { EPOCH } from "./stored/entry.ts";
import { type Cell, Keyspace } from "./stored/keyspace.ts";
import { Journal } from "./watch/journal.ts";
import { applyCommit } from "./write/commits.ts";
import { Mutations } from "./write/mutations.ts";

const PAGE = 256;
const EVERYTHING: Bounds = { start: "", end: undefined };

/**
 * Entries in this process's memory: ordered, optionally bounded, gone when it is closed. Stores that share the adapter
 * object share its entries.
 * @throws KvError `KV_INVALID_OPTION`
 */
export function memory(options?: MemoryOptions): Adapter {
  return new MemoryAdapter(checkOptions(options));
}

class MemoryAdapter implements Adapter {
  readonly name = "memory";
  readonly form = "value";
  readonly capabilities: Capabilities = {
    persistent: false,
    shared: false,
    ordered: true,
    snapshotScans: false,
    atomic: "namespace",
    linearizable: true,
    watch: "local",
  };
  readonly batch = { read: false, commit: false } as const;
  readonly clock: () => number;
  readonly #options: MemoryOptions;
  readonly #mutations: Mutations;
  #contents: Contents;

  constructor(options: MemoryOptions) {
    this.clock = options.clock ?? (() => Date.now());
    this.#options = options;
    this.#mutations = new Mutations(options.maxBytes !== undefined);
    this.#contents = this.#empty();
  }

  open(): void {}

  close(): void {
    this.#contents = this.#empty();
  }

  read(namespace: Namespace, keys: readonly string[]): (StoredEntry | undefined)[] {
    const contents = this.#contents;
    const keyspace = contents.find(namespace);
    if (keyspace === undefined) return keys.map(() => undefined);
    const first = keys[0];
    const entries =
      keys.length === 1 && first !== undefined
        ? [this.#get(keyspace, first)]
        : keys.map((key) => this.#get(keyspace, key));
    contents.announce();
    return entries;
  }

  commit(namespace: Namespace, commits: readonly Commit[]): CommitResult[] {
    const contents = this.#contents;
    const keyspace = contents.open(namespace);
    const now = this.#now();
    const first = commits[0];
    const results =
      commits.length === 1 && first !== undefined
        ? [applyCommit(contents, this.#mutations, keyspace, first, now)]
        : commits.map((commit) => applyCommit(contents, this.#mutations, keyspace, commit, now));
    contents.announce();
    return results;
  }

  *scan(namespace: Namespace, range: Range): Generator<readonly StoredEntry[], void, undefined> {
    let { start, end, limit } = range;
    while (limit > 0) {
      // Looked up for every page, because the keyspace may have become empty and been replaced meanwhile.
      const keyspace = this.#contents.find(namespace);
      if (keyspace === undefined) return;
      const now = this.#now();
      const size = Math.min(limit, PAGE);
      const page: StoredEntry[] = [];
      keyspace.order.visit({ start, end }, range.reverse, ({ entry }) => {
        if (!entry.isDue(now)) page.push(entry);
        return page.length < size;
      });
      const last = page.at(-1);
      if (last === undefined) return;
      yield page;
      if (page.length < size) return;
      limit -= size;
      // Continues after the last key, not at an index, because the order may change between pages.
      if (range.reverse) end = last.key;
      else start = `${last.key}\0`;
    }
  }

  count(namespace: Namespace, bounds: Bounds): number {
    const due = this.#due(namespace);
    const keyspace = this.#contents.find(namespace);
    return keyspace === undefined ? 0 : liveCount(keyspace, bounds, due);
  }

  clear(namespace: Namespace, filter: Filter): number {
    let removed = 0;
    if (filter.descendants) {
      for (const keyspace of this.#contents.keyspaces()) {
        if (keyspace.namespace.id.startsWith(namespace.id))
          removed += this.#clear(keyspace, EVERYTHING, filter);
      }
    } else {
      const keyspace = this.#contents.find(namespace);
      const everything = filter.start === "" && filter.end === undefined;
      if (keyspace !== undefined) removed = this.#clear(keyspace, everything ? EVERYTHING : filter, filter);
    }
    this.#contents.announce();
    return removed;
  }

  *namespaces(under: Namespace): Generator<readonly Namespace[], void, undefined> {
    const now = this.#now();
    const found: Namespace[] = [];
    for (const keyspace of this.#contents.keyspaces()) {
      const { id } = keyspace.namespace;
      if (id.length > under.id.length && id.startsWith(under.id) && hasLiveEntry(keyspace, now)) {
        found.push(keyspace.namespace);
      }
    }
    for (let at = 0; at < found.length; at += PAGE) yield found.slice(at, at + PAGE);
  }

  watch(namespace: Namespace, bounds: Bounds, listener: ChangeListener): () => void {
    return this.#contents.journal.watch(namespace, bounds, listener);
  }

  stats(namespace: Namespace, bounds: Bounds): AdapterStats {
    const due = this.#due(namespace);
    const keyspace = this.#contents.find(namespace) ?? new Keyspace(namespace);
    const { maxEntries, maxBytes } = this.#options;
    const { bytes, ...counts } = tallyOf(keyspace, bounds, due);
    return {
      ...counts,
      bytes: maxBytes === undefined ? undefined : bytes,
      backend: {
        name: this.name,
        ...(maxEntries === undefined ? {} : { maxEntries }),
        ...(maxBytes === undefined ? {} : { maxBytes }),
      },
    };
  }

  sweep(): MaybePromise<number> {
    const contents = this.#contents;
    const now = this.#now();
    const removed = reclaimSlice(contents, now);
    contents.announce();
    return contents.deadlines.first(now) === undefined ? removed : this.#sweepOn(contents, now, removed);
  }

  errorCode(error: unknown): KvErrorCode | undefined {
    // Thrown by V8 when a Map has no room for another key (after some 16 million).
    return error instanceof RangeError ? "KV_CAPACITY" : undefined;
  }

  #empty(): Contents {
    const { maxEntries = Infinity, maxBytes = Infinity, onEvict } = this.#options;
    const bounded = maxEntries !== Infinity || maxBytes !== Infinity;
    const recency = bounded ? new Recency({ maxEntries, maxBytes }) : undefined;
    return new Contents(recency, new Journal(), new Evictions(onEvict));
  }

  #now(): number {
    return this.clock() - EPOCH;
  }

  #get(keyspace: Keyspace, key: string): StoredEntry | undefined {
    const cell = keyspace.get(key);
    if (cell === undefined) return undefined;
    const { entry } = cell;
    // The clock is read only for an entry with a deadline.
    if (entry.due !== undefined && entry.isDue(this.#now())) {
      this.#contents.remove(cell, "expire");
      return undefined;
    }
    this.#contents.recency?.use(cell);
    return entry;
  }

  /** The namespace's due cells after a slice of reclaiming, which mostly leaves none. */
  #due(namespace: Namespace): Cell[] {
    const contents = this.#contents;
    const now = this.#now();
    reclaimSlice(contents, now);
    contents.announce();
    if (contents.deadlines.first(now) === undefined) return [];
    const keyspace = contents.find(namespace);
    return contents.deadlines.due(now).filter((cell) => cell.keyspace === keyspace);
  }

  #clear(keyspace: Keyspace, bounds: Bounds, { policy }: Filter): number {
    const { size } = keyspace;
    if (bounds === EVERYTHING && policy === undefined && this.#contents.discard(keyspace)) return size;
    const now = this.#now();
    let live = 0;
    for (const cell of keyspace.order.extract(
      bounds,
      ({ entry }) => policy === undefined || entry.policy === policy,
    )) {
      const due = cell.entry.isDue(now);
      this.#contents.forget(cell, due ? "expire" : "delete");
      if (!due) live += 1;
    }
    return live;
  }

  async #sweepOn(contents: Contents, now: number, already: number): Promise<number> {
    let removed = already;
    while (contents === this.#contents && contents.deadlines.first(now) !== undefined) {
      // A timer, not a microtask, so that other work of the event loop goes first.
      await delay(0);
      removed += reclaimSlice(contents, now);
      contents.announce();
    }
    return removed;
  }
}

function hasLiveEntry(keyspace: Keyspace, now: number): boolean {
  if (keyspace.expiring < keyspace.size) return true;
  for (const { entry } of keyspace.cells()) if (!entry.isDue(now)) return true;
  return false;
}
