import {
  type Adapter,
  monotonicNow,
  type Namespace,
  type StoredChange,
  type StoredEntry,
  timer,
  Watchers,
} from "@kv/core";
import type { LateAttempts } from "../far/late-attempts.ts";
import type { CopyKeeper } from "../near/copy-keeper.ts";
import type { BehindSettings } from "../options.ts";
import type { ReadPath } from "../read-path.ts";
import { Backlog, type Flush } from "./backlog.ts";
import { Flusher } from "./flusher.ts";
import { Journal } from "./journal.ts";
import { PAIR, Pairing } from "./pairing.ts";
import { WritePath } from "./write-path.ts";

export interface BehindParts {
  readonly near: Adapter;
  /** The far tier, given up on after `timeout`. */
  readonly far: Adapter;
  /** Its commits that were given up on. */
  readonly late: LateAttempts;
  readonly keeper: CopyKeeper;
  readonly reads: ReadPath;
  readonly settings: BehindSettings;
}

/** The state of a write-behind adapter from `open` to `close`. */
export class BehindSession {
  readonly backlog: Backlog = new Backlog();
  readonly watchers: Watchers = new Watchers();
  readonly flusher: Flusher;
  readonly writes: WritePath;
  readonly #keeper: CopyKeeper;
  readonly #journal: Journal | undefined;
  readonly #pairing: Pairing | undefined;
  readonly #settings: BehindSettings;
  /** The number of entries that expired before they were flushed and that no sweep has counted yet. */
  #lapsed = 0;

  static async open(parts: BehindParts): Promise<BehindSession> {
    if (!parts.near.capabilities.persistent) return new BehindSession(parts, undefined, undefined, []);
    const journal = new Journal(parts.near);
    await journal.claim();
    const left = await journal.read();
    const pairing = new Pairing(journal, parts.far);
    await pairing.open(left.reduce((sum, { states }) => sum + states.size, 0));
    return new BehindSession(parts, journal, pairing, left);
  }

  private constructor(
    { far, late, keeper, reads, settings }: BehindParts,
    journal: Journal | undefined,
    pairing: Pairing | undefined,
    left: Parameters<Backlog["add"]>[0][],
  ) {
    this.#keeper = keeper;
    this.#journal = journal;
    this.#pairing = pairing;
    this.#settings = settings;
    for (const change of left) this.backlog.add(change);
    const { backlog } = this;
    const { batchSize, backoff, maxPending, timeout } = settings;
    this.flusher = new Flusher({
      far,
      late,
      backlog,
      batchSize,
      enough: maxPending / 2,
      backoff,
      keepsAlive: journal === undefined,
      beginning: () => pairing?.renewIfDue(),
      flushed: (flush, written) => this.#flushed(flush, written),
    });
    this.writes = new WritePath({
      form: far.form,
      clock: () => far.clock(),
      backlog,
      journal,
      flusher: this.flusher,
      keeper,
      maxPending,
      timeout,
      read: (namespace, keys) => reads.read(namespace, keys, false),
      watched: (namespaceId) => this.watchers.has(namespaceId),
      publish: (namespaceId, changes) => this.#publish(namespaceId, changes),
    });
    if (backlog.size > 0) this.flusher.kick();
  }

  /** Returns how many entries expired before they were flushed, since the last call. */
  takeLapsed(): number {
    const lapsed = this.#lapsed;
    this.#lapsed = 0;
    return lapsed;
  }

  /** Called before the far tier is cleared, when nothing waits to be flushed. */
  async clearing(namespace: Namespace, descendants: boolean): Promise<void> {
    if (descendants && PAIR.id.startsWith(namespace.id)) await this.#pairing?.clear();
  }

  /** Flushes for up to `closeTimeout`. Returns how many acknowledged changes are lost. */
  async close(): Promise<number> {
    // A `clear` may never end, and both tiers must be closed all the same.
    await within(this.writes.idle(), this.#settings.closeTimeout);
    await this.#flushInTime();
    await this.flusher.stop();
    return this.#journal === undefined ? this.backlog.size : 0;
  }

  async #flushInTime(): Promise<void> {
    const until = monotonicNow() + this.#settings.closeTimeout;
    for (let left = this.#settings.closeTimeout; left > 0 && this.backlog.size > 0; ) {
      const flushed = this.flusher.flush().then(
        () => true,
        () => false,
      );
      const done = await within(flushed, left);
      // The journal keeps the changes that were not flushed.
      if (!done && this.#journal !== undefined) return;
      left = until - monotonicNow();
      if (!done && left > 0) await within(undefined, Math.min(left, 100));
    }
  }

  async #flushed(flush: Flush, written: ReadonlyMap<string, StoredEntry | undefined>): Promise<void> {
    await this.#journal?.trim(flush.changes);
    const { namespace, states } = flush;
    const keys = this.backlog.flushed(flush);
    const replaced = new Map(keys.map((key) => [key, written.get(key)]));
    void this.#keeper.forChanging(namespace).replace(replaced);
    const lapsed = keys.filter(
      (key) => written.get(key) === undefined && states.get(key)?.entry !== undefined,
    );
    this.#lapsed += lapsed.length;
    this.#publish(
      namespace.id,
      lapsed.map((key) => ({ type: "expire", key })),
    );
  }

  #publish(namespaceId: string, changes: readonly StoredChange[]): void {
    if (changes.length > 0 && this.watchers.has(namespaceId)) this.watchers.publish(namespaceId, changes);
  }

  /** Whether a key that expired in the far tier is absent now, acknowledged changes included. */
  async hasExpired(namespace: Namespace, key: string): Promise<boolean> {
    return (await this.writes.current(namespace, key)) === undefined;
  }
}

/** The value that the promise resolves to; `undefined` if that takes longer. */
async function within<T>(promise: Promise<T> | undefined, ms: number): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const limit = timer(() => resolve(undefined), ms);
  try {
    return await (promise === undefined ? late : Promise.race([promise, late]));
  } finally {
    limit.cancel();
  }
}
