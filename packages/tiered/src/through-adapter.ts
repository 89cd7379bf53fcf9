import {
  type Adapter,
  type AdapterStats,
  after,
  asForm,
  type Bounds,
  type Capabilities,
  type ChangeListener,
  type Commit,
  type CommitResult,
  type Filter,
  KvError,
  type KvErrorCode,
  type Life,
  lifeOf,
  type MaybePromise,
  type Namespace,
  type Pages,
  type Range,
  Refusal,
  rescued,
  type StoredEntry,
} from "@kv/core";
import { FarReads } from "./far/far-reads.ts";
import { Counters, type TieredMetrics } from "./metrics.ts";
import { CopyKeeper } from "./near/copy-keeper.ts";
import { NearTier } from "./near/near-tier.ts";
import type { Settings } from "./options.ts";
import { ReadPath } from "./read-path.ts";
import { closeBoth, openBoth } from "./tiers.ts";

/** The far tier is the truth: everything but reads of keys goes to it, and a write is done when the far tier has it. */
export class ThroughAdapter implements Adapter {
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
  readonly #far: Adapter;
  readonly #near: NearTier;
  readonly #keeper: CopyKeeper;
  readonly #reads: ReadPath;
  readonly #counters = new Counters();

  constructor({ near, far: given, ttl }: Settings) {
    // Copies keep the form in which the far tier returns them, so it returns the one that the near tier reads cheapest.
    const far = asForm(given, near.form);
    this.#nearLife = lifeOf(near);
    this.#farLife = lifeOf(given);
    this.#far = far;
    this.form = far.form;
    this.clock = () => far.clock();
    if (far.syncClock !== undefined) this.syncClock = far.syncClock.bind(far);
    this.#near = new NearTier(near, this.clock, ttl);
    this.#keeper = new CopyKeeper(far, this.#near);
    this.#reads = new ReadPath(this.#keeper, new FarReads(far), this.#counters);
    this.batch = { read: near.batch.read, commit: far.batch.commit };
    const { capabilities } = far;
    // A copy may outlast another process's write until that write is reported.
    this.capabilities = { ...capabilities, linearizable: capabilities.linearizable && !capabilities.shared };
    const watch = far.watch?.bind(far);
    if (watch !== undefined) {
      this.watch = (namespace, bounds, listener) =>
        watch(namespace, bounds, this.#afterCopies(namespace, listener));
    }
  }

  get metrics(): TieredMetrics {
    const { hits, misses } = this.#counters;
    return { hits, misses, pending: 0, lag: 0 };
  }

  /** Nothing to do: a write is acknowledged only when the far tier has it. */
  flush(): Promise<void> {
    return Promise.resolve();
  }

  open(): MaybePromise<void> {
    return after(
      openBoth(this.#nearLife, this.#farLife, () => this.#near.empty()),
      () => this.#keeper.open(),
    );
  }

  async close(): Promise<void> {
    this.#keeper.close();
    await this.#near.idle();
    await closeBoth(this.#nearLife, this.#farLife);
  }

  read(
    namespace: Namespace,
    keys: readonly string[],
    payloadsOnly = false,
  ): MaybePromise<(StoredEntry | undefined)[]> {
    return this.#reads.read(namespace, keys, payloadsOnly);
  }

  commit(namespace: Namespace, commits: readonly Commit[]): MaybePromise<CommitResult[]> {
    const copies = this.#keeper.forChanging(namespace);
    const keys = changedKeys(commits);
    copies.hold(keys);
    const made = rescued(
      () => this.#far.commit(namespace, commits),
      // The commit may have taken effect all the same.
      (error) => {
        if (!isKnown(error)) this.#keeper.doubt(namespace);
        return after(copies.release(keys), () => {
          throw error;
        });
      },
    );
    return after(made, (results) =>
      after(copies.release(keys), () => {
        // A caller that tries again must not read the stale copy that made its check fail.
        const stale = results.flatMap((result) => (result.status === "conflict" ? result.failed : []));
        return after(copies.drop(stale), () => results);
      }),
    );
  }

  scan(namespace: Namespace, range: Range): Pages<StoredEntry> {
    return this.#far.scan(namespace, range);
  }

  count(namespace: Namespace, bounds: Bounds): MaybePromise<number> {
    return this.#far.count(namespace, bounds);
  }

  clear(namespace: Namespace, filter: Filter): MaybePromise<number> {
    const ended = this.#keeper.clearing(namespace.id, filter.descendants);
    const cleared = rescued(
      () => this.#far.clear(namespace, filter),
      (error) => {
        ended();
        throw error;
      },
    );
    return after(cleared, (removed) => {
      ended();
      return removed;
    });
  }

  namespaces(under: Namespace): Pages<Namespace> {
    return this.#far.namespaces(under);
  }

  stats(namespace: Namespace, bounds: Bounds): MaybePromise<AdapterStats> {
    return this.#far.stats(namespace, bounds);
  }

  /** Copies swept from the near tier are not counted: only entries of the far tier are. */
  sweep(): MaybePromise<number> {
    const swept = rescued<unknown>(
      () => this.#near.adapter.sweep(),
      () => undefined,
    );
    return after(swept, () => this.#far.sweep());
  }

  errorCode(error: unknown): KvErrorCode | undefined {
    return this.#far.errorCode(error) ?? this.#near.adapter.errorCode(error);
  }

  /** Drops the copies before the listener is called, so that a listener that reads the key finds nothing older. */
  #afterCopies(namespace: Namespace, listener: ChangeListener): ChangeListener {
    return (changes) => {
      this.#keeper.forChanging(namespace).changed(changes);
      listener(changes);
    };
  }
}

/** Whether a commit that failed with this error has certainly not taken effect and never will: only then is it retryable. */
function isKnown(error: unknown): boolean {
  return (error instanceof Refusal || KvError.is(error)) && error.retryable === true;
}

function changedKeys(commits: readonly Commit[]): string[] {
  const [first] = commits;
  if (commits.length === 1 && first?.mutations.length === 1) return first.mutations.map(({ key }) => key);
  return [...new Set(commits.flatMap(({ mutations }) => mutations.map(({ key }) => key)))];
}
