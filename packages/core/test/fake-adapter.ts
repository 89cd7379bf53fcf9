import {
  type Adapter,
  applied,
  type Bounds,
  type Capabilities,
  type Commit,
  type CommitResult,
  compareKeys,
  inBounds,
  type MaybePromise,
  type Namespace,
  namespaceFromId,
  type Range,
  type StoredEntry,
} from "@kv/core";

export interface FakeOptions {
  /** Runs an effect now, or later and in any order: the worst network there is. Default: now. */
  readonly schedule?: <T>(effect: () => T) => MaybePromise<T>;
  readonly batch?: Adapter["batch"];
  readonly capabilities?: Partial<Capabilities>;
  readonly open?: () => MaybePromise<void>;
  readonly close?: () => MaybePromise<void>;
  readonly errorCode?: Adapter["errorCode"];
  /** Default: this machine's. */
  readonly clock?: () => number;
}

/** The calls that the front made, for tests of batching. */
export interface Call {
  readonly verb: "read" | "commit";
  readonly size: number;
}

/** The simplest adapter that keeps its promises, in a Map, whose timing the test controls. */
export class FakeAdapter implements Adapter {
  readonly name = "fake";
  readonly form = "text";
  readonly capabilities: Capabilities;
  readonly batch: Adapter["batch"];
  readonly calls: Call[] = [];
  readonly #options: FakeOptions;
  readonly #entries = new Map<string, Map<string, StoredEntry>>();
  #revision = 0;

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    this.batch = options.batch ?? { read: true, commit: true };
    this.capabilities = {
      persistent: false,
      shared: false,
      ordered: true,
      snapshotScans: false,
      atomic: "namespace",
      linearizable: true,
      watch: false,
      ...options.capabilities,
    };
  }

  readonly clock = (): number => this.#options.clock?.() ?? Date.now();

  open(): MaybePromise<void> {
    return this.#options.open?.();
  }

  close(): MaybePromise<void> {
    return this.#options.close?.();
  }

  read(namespace: Namespace, keys: readonly string[]): MaybePromise<(StoredEntry | undefined)[]> {
    this.calls.push({ verb: "read", size: keys.length });
    return this.#schedule(() => keys.map((key) => this.#live(namespace, key)));
  }

  commit(namespace: Namespace, commits: readonly Commit[]): MaybePromise<CommitResult[]> {
    this.calls.push({ verb: "commit", size: commits.length });
    return this.#schedule(() => commits.map((commit) => this.#apply(namespace, commit)));
  }

  *scan(namespace: Namespace, range: Range): Iterable<readonly StoredEntry[]> {
    const entries = this.#within(namespace, range);
    if (range.reverse) entries.reverse();
    for (const entry of entries.slice(0, range.limit)) yield [entry];
  }

  count(namespace: Namespace, bounds: Bounds): MaybePromise<number> {
    return this.#schedule(() => this.#within(namespace, bounds).length);
  }

  clear(namespace: Namespace, bounds: Bounds): MaybePromise<number> {
    return this.#schedule(() => {
      const entries = this.#within(namespace, bounds);
      for (const { key } of entries) this.#of(namespace).delete(key);
      return entries.length;
    });
  }

  *namespaces(): Iterable<readonly Namespace[]> {
    yield [...this.#entries.keys()].map(namespaceFromId);
  }

  stats(namespace: Namespace, bounds: Bounds): ReturnType<Adapter["stats"]> {
    const keys = this.#within(namespace, bounds).length;
    return { keys, expiring: 0, evictable: 0, bytes: undefined, backend: {} };
  }

  sweep(): number {
    return 0;
  }

  errorCode(error: unknown): ReturnType<Adapter["errorCode"]> {
    return this.#options.errorCode?.(error);
  }

  #schedule<T>(effect: () => T): MaybePromise<T> {
    return this.#options.schedule === undefined ? effect() : this.#options.schedule(effect);
  }

  #of({ id }: Namespace): Map<string, StoredEntry> {
    const entries = this.#entries.get(id) ?? new Map<string, StoredEntry>();
    this.#entries.set(id, entries);
    return entries;
  }

  #live(namespace: Namespace, key: string): StoredEntry | undefined {
    const entry = this.#of(namespace).get(key);
    return entry?.expiresAt !== undefined && entry.expiresAt <= this.clock() ? undefined : entry;
  }

  #within(namespace: Namespace, bounds: Bounds): StoredEntry[] {
    return [...this.#of(namespace).keys()]
      .filter((key) => inBounds(key, bounds))
      .sort(compareKeys)
      .map((key) => this.#live(namespace, key))
      .filter((entry) => entry !== undefined);
  }

  #apply(namespace: Namespace, commit: Commit): CommitResult {
    const { result, changes } = applied(commit, {
      form: this.form,
      find: (key) => this.#live(namespace, key),
      now: this.clock,
      revision: () => `r${++this.#revision}`,
    });
    for (const [key, entry] of changes) {
      if (entry === undefined) this.#of(namespace).delete(key);
      else this.#of(namespace).set(key, entry);
    }
    return result;
  }
}
