import {
  type Adapter,
  addToNumber,
  type Bounds,
  type Capabilities,
  type Commit,
  type CommitResult,
  compareKeys,
  inBounds,
  type MaybePromise,
  type Mutation,
  type Namespace,
  namespaceFromId,
  type Outcome,
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
}

/** What the front asked of the adapter, for tests of batching. */
export interface Call {
  readonly verb: "read" | "commit";
  readonly size: number;
}

/** The simplest adapter that keeps its promises, in a Map, with its timing in the test's hands. */
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
      linearizable: true,
      watch: false,
      ...options.capabilities,
    };
  }

  readonly clock = (): number => Date.now();

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

  #apply(namespace: Namespace, { checks, mutations }: Commit): CommitResult {
    const failed = checks.filter(
      ({ key, revision }) => (this.#live(namespace, key)?.revision ?? null) !== revision,
    );
    if (failed.length > 0) return { status: "conflict", failed: [...new Set(failed.map(({ key }) => key))] };
    const before = new Map(this.#of(namespace));
    const outcomes: Outcome[] = [];
    for (const mutation of mutations) {
      const outcome = this.#mutate(namespace, mutation);
      if (outcome === undefined) {
        this.#entries.set(namespace.id, before);
        return { status: "not-a-number", key: mutation.key };
      }
      outcomes.push(outcome);
    }
    return { status: "ok", outcomes };
  }

  #mutate(namespace: Namespace, mutation: Mutation): Outcome | undefined {
    const entries = this.#of(namespace);
    const { key } = mutation;
    const live = this.#live(namespace, key);
    if (mutation.type === "delete") {
      entries.delete(key);
      return { existed: live !== undefined };
    }
    if (mutation.type === "touch") {
      const { expiresAt = live?.expiresAt, policy = live?.policy ?? "persist" } = mutation;
      if (live !== undefined) entries.set(key, { ...live, expiresAt: expiresAt ?? undefined, policy });
      return { existed: live !== undefined };
    }
    const now = this.clock();
    const revision = `r${++this.#revision}`;
    const stamp = { key, revision, createdAt: live?.createdAt ?? now, updatedAt: now, size: undefined };
    if (mutation.type === "set") {
      const { payload, encoding, policy, user } = mutation;
      const expiresAt = mutation.expiresAt === "keep" ? live?.expiresAt : mutation.expiresAt;
      entries.set(key, { ...stamp, payload, encoding, policy, user, expiresAt });
      return { revision };
    }
    if (live !== undefined && live.encoding !== "json") return undefined;
    const sum = addToNumber(live?.payload, mutation.by);
    if (sum === undefined) return undefined;
    const { expiresAt, policy, user } = live ?? mutation;
    entries.set(key, { ...stamp, payload: String(sum), encoding: "json", expiresAt, policy, user });
    return { revision, value: sum };
  }
}
