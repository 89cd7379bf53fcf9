import {
  type Adapter,
  type AdapterStats,
  after,
  asForm,
  type Bounds,
  type Capabilities,
  type Commit,
  type CommitResult,
  type Filter,
  KvError,
  type KvErrorCode,
  type Life,
  lifeOf,
  type MaybePromise,
  monotonicNow,
  type Namespace,
  type Range,
  Refusal,
  rescued,
  type StoredEntry,
  timeout,
} from "@kv/core";
import { clearFar } from "../far/clear-far.ts";
import { farEntries } from "../far/far-entries.ts";
import { FarReads } from "../far/far-reads.ts";
import { createdThere, since } from "../far/flushed-entry.ts";
import { LateAttempts } from "../far/late-attempts.ts";
import { Counters, type TieredMetrics } from "../metrics.ts";
import { CopyKeeper } from "../near/copy-keeper.ts";
import { NearTier } from "../near/near-tier.ts";
import type { BehindSettings, Settings } from "../options.ts";
import { ReadPath } from "../read-path.ts";
import { closeBoth, openBoth } from "../tiers.ts";
import type { State } from "./backlog.ts";
import { BehindSession } from "./behind-session.ts";
import { PAIR } from "./pairing.ts";
import { watchBehind } from "./watch-behind.ts";

/**
 * A write is done when the near tier has it. The backlog holds the changes that the far tier does not have yet. Reads of
 * keys look in the backlog first, then among the copies, then in the far tier. An operation on more than single keys
 * flushes, and the far tier answers it.
 */
export class BehindAdapter implements Adapter {
  readonly name = "tiered";
  readonly form: Adapter["form"];
  readonly capabilities: Capabilities;
  readonly batch: Adapter["batch"];
  readonly clock: () => number;
  readonly syncClock?: NonNullable<Adapter["syncClock"]>;
  readonly watch?: NonNullable<Adapter["watch"]>;
  /** Other stores may use a tier, too: a backup reads the far tier through its own store. */
  readonly #nearLife: Life;
  readonly #farLife: Life;
  readonly #near: NearTier;
  readonly #far: Adapter;
  /** `#far`, with entries as they were acknowledged. */
  readonly #farEntries: Adapter;
  /** `#far`, given up on after `timeout`. */
  readonly #timedFar: Adapter;
  readonly #settings: BehindSettings;
  readonly #keeper: CopyKeeper;
  readonly #reads: ReadPath;
  readonly #counters = new Counters();
  readonly #late = new LateAttempts();
  #opened: BehindSession | undefined;
  /** The changes left in the backlog when the adapter was closed; `undefined`: it has not been open yet. */
  #left: number | undefined;

  constructor({ near, far: given, ttl }: Settings, settings: BehindSettings) {
    // The form that is cheapest for the near tier. An entry is encoded for the far tier, if at all, when it is flushed.
    const far = asForm(given, near.form);
    this.#nearLife = lifeOf(near);
    this.#farLife = lifeOf(given);
    this.#far = far;
    this.#farEntries = farEntries(far);
    this.#timedFar = timeout({ after: settings.timeout / 1000 })(this.#late.over(far));
    this.#settings = settings;
    this.form = far.form;
    this.clock = () => far.clock();
    const syncClock = this.#timedFar.syncClock?.bind(this.#timedFar);
    // A far tier that is down must not delay a write, which is done when the near tier has it. Its clock stays as last measured.
    if (syncClock !== undefined) this.syncClock = () => syncClock()?.catch(() => undefined);
    this.#near = new NearTier(near, this.clock, ttl);
    // There are no other writers to report, and watching the far tier would make every flush slower.
    this.#keeper = new CopyKeeper(undefined, this.#near);
    this.#reads = new ReadPath(this.#keeper, new FarReads(farEntries(this.#timedFar)), this.#counters);
    this.batch = near.batch;
    const { capabilities } = far;
    this.capabilities = {
      ...capabilities,
      persistent: near.capabilities.persistent && capabilities.persistent,
      // Only this process sees the changes that are not flushed yet.
      shared: false,
      watch: capabilities.watch === false ? false : "local",
    };
    if (capabilities.watch !== false)
      this.watch = (namespace, bounds, listener) =>
        watchBehind(this.#session, this.#farEntries, namespace, bounds, listener);
  }

  get #session(): BehindSession {
    if (this.#opened === undefined) throw new Error("the tiered adapter is not open");
    return this.#opened;
  }

  get metrics(): TieredMetrics {
    const { hits, misses } = this.#counters;
    const oldest = this.#opened?.backlog.oldest;
    const lag = oldest === undefined ? 0 : monotonicNow() - oldest.at;
    return { hits, misses, pending: this.#opened?.backlog.size ?? 0, lag };
  }

  async flush(): Promise<void> {
    if (this.#opened === undefined) return this.#assertNothingLeft();
    try {
      await this.#opened.flusher.flush();
    } catch (error) {
      const told = error instanceof Refusal || KvError.is(error) ? error.code : this.errorCode(error);
      const message = `flushing to the far tier failed: ${String(error)}; the changes stay queued and are tried again`;
      const operation = "flush";
      throw new KvError(told ?? "KV_BACKEND", { adapter: this.name, operation, message, cause: error });
    }
  }

  /** @throws KvError `KV_UNAVAILABLE` if the near tier's journal may hold changes that were not flushed */
  #assertNothingLeft(): void {
    if (!this.#near.adapter.capabilities.persistent || this.#left === 0) return;
    const message =
      "the store is not open, and the near tier may hold changes that were not flushed; any operation opens the store, which then flushes them";
    throw new KvError("KV_UNAVAILABLE", { adapter: this.name, operation: "flush", message });
  }

  open(): MaybePromise<void> {
    return openBoth(this.#nearLife, this.#farLife, async () => {
      await this.#near.empty();
      this.#keeper.open();
      this.#opened = await BehindSession.open({
        near: this.#near.adapter,
        far: this.#timedFar,
        late: this.#late,
        keeper: this.#keeper,
        reads: this.#reads,
        settings: this.#settings,
      });
    });
  }

  async close(): Promise<void> {
    const session = this.#opened;
    const lost = (await session?.close()) ?? 0;
    this.#left = session?.backlog.size ?? this.#left;
    this.#opened = undefined;
    this.#keeper.close();
    await this.#near.idle();
    const closed = await Promise.allSettled([closeBoth(this.#nearLife, this.#farLife)]);
    for (const end of closed) if (end.status === "rejected" && lost === 0) throw end.reason;
    if (lost === 0) return;
    // A far tier that cannot be closed either has often lost the same files: the number is what the caller needs.
    throw new Refusal(
      "KV_UNAVAILABLE",
      `${lost} acknowledged changes are lost: the far tier did not take them while the store was closed, and the near tier (${this.#near.adapter.name}) does not outlive it`,
      { cause: session?.flusher.failure, retryable: false },
    );
  }

  read(
    namespace: Namespace,
    keys: readonly string[],
    payloadsOnly = false,
  ): MaybePromise<(StoredEntry | undefined)[]> {
    const { backlog } = this.#session;
    if (backlog.size === 0) return this.#reads.read(namespace, keys, payloadsOnly);
    const [first] = keys;
    if (keys.length === 1 && first !== undefined && backlog.find(namespace.id, first) === undefined)
      return this.#reads.read(namespace, keys, payloadsOnly);
    const states = keys.map((key) => backlog.find(namespace.id, key));
    const others = keys.filter((_, i) => states[i] === undefined);
    this.#counters.hits += keys.length - others.length;
    const read = others.length === 0 ? [] : this.#reads.read(namespace, others, payloadsOnly);
    return after(read, (entries) =>
      after(payloadsOnly ? states : this.#dated(namespace, keys, states), (known) => {
        let at = 0;
        return known.map((state) => (state === undefined ? entries[at++] : this.#live(state)));
      }),
    );
  }

  commit(namespace: Namespace, commits: readonly Commit[]): MaybePromise<CommitResult[]> {
    return this.#session.writes.commit(namespace, commits);
  }

  async *scan(namespace: Namespace, range: Range): AsyncGenerator<readonly StoredEntry[], void, undefined> {
    await this.#session.flusher.flush();
    yield* this.#farEntries.scan(namespace, range);
  }

  count(namespace: Namespace, bounds: Bounds): MaybePromise<number> {
    return this.#flushed(() => this.#far.count(namespace, bounds));
  }

  clear(namespace: Namespace, filter: Filter): Promise<number> {
    const session = this.#session;
    const { writes, flusher, watchers } = session;
    return writes.exclusive(async () => {
      await flusher.flush();
      await session.clearing(namespace, filter.descendants);
      const ended = this.#keeper.clearing(namespace.id, filter.descendants);
      try {
        return await clearFar(this.#far, watchers, namespace, filter);
      } finally {
        flusher.cleared();
        ended();
      }
    });
  }

  async *namespaces(under: Namespace): AsyncGenerator<readonly Namespace[], void, undefined> {
    await this.#session.flusher.flush();
    for await (const page of this.#far.namespaces(under)) yield page.filter(({ id }) => id !== PAIR.id);
  }

  stats(namespace: Namespace, bounds: Bounds): MaybePromise<AdapterStats> {
    return this.#flushed(() => this.#far.stats(namespace, bounds));
  }

  async sweep(): Promise<number> {
    const session = this.#session;
    await session.flusher.flush();
    await rescued<unknown>(
      () => this.#near.adapter.sweep(),
      () => undefined,
    );
    const removed = await this.#far.sweep();
    return removed + session.takeLapsed();
  }

  errorCode(error: unknown): KvErrorCode | undefined {
    return this.#far.errorCode(error) ?? this.#near.adapter.errorCode(error);
  }

  #flushed<T>(run: () => MaybePromise<T>): MaybePromise<T> {
    const { backlog, flusher } = this.#session;
    return backlog.size === 0 ? run() : flusher.flush().then(run);
  }

  #live({ entry }: State): StoredEntry | undefined {
    return entry?.expiresAt !== undefined && entry.expiresAt <= this.clock() ? undefined : entry;
  }

  /** The states, with `createdAt` from the far tier where it has not been asked yet. */
  #dated(
    namespace: Namespace,
    keys: readonly string[],
    states: readonly (State | undefined)[],
  ): MaybePromise<readonly (State | undefined)[]> {
    const { backlog } = this.#session;
    const asked = keys.filter((_, i) => states[i]?.sinceWhen === "far");
    if (asked.length === 0) return states;
    const read = rescued<(StoredEntry | undefined)[] | undefined>(
      () => this.#timedFar.read(namespace, asked),
      // Without an answer, `createdAt` stays the time of the write.
      () => undefined,
    );
    return after(read, (found) => {
      if (found === undefined) return states;
      return states.map((state, i) => {
        const key = keys[i]!;
        if (state?.entry === undefined || state.sinceWhen !== "far") return state;
        const createdAt = createdThere(found[asked.indexOf(key)]) ?? state.entry.createdAt;
        const dated: State = { entry: since(state.entry, createdAt), sinceWhen: "known" };
        backlog.settle(namespace.id, key, state, dated);
        return dated;
      });
    });
  }
}
