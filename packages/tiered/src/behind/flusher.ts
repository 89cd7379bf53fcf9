import {
  type Adapter,
  type Check,
  type Commit,
  type Mutation,
  monotonicNow,
  nextTurn,
  Refusal,
  type StoredEntry,
  timer,
} from "@kv/core";
import { FarStates } from "../far/far-states.ts";
import { isThere, setOf, since, stateOf } from "../far/flushed-entry.ts";
import type { LateAttempts, Outlook } from "../far/late-attempts.ts";
import { LONGEST_PAUSE_MS } from "../options.ts";
import type { Backlog, Flush, State } from "./backlog.ts";

export interface FlusherOptions {
  /** The far tier, given up on after `timeout`. */
  readonly far: Adapter;
  /** Its commits that were given up on. */
  readonly late: LateAttempts;
  readonly backlog: Backlog;
  /** The most keys in one commit of the far tier. */
  readonly batchSize: number;
  /** The number of waiting states that are flushed even while more are being written. */
  readonly enough: number;
  /** Milliseconds until the next attempt, given the number of failures in a row: 1, 2, … */
  readonly backoff: (failures: number) => number;
  /** Whether the process is kept alive until the far tier has everything, because waiting changes would be lost with it. */
  readonly keepsAlive: boolean;
  /** Called before the far tier is written to. */
  readonly beginning: () => Promise<void> | undefined;
  /** Called when the far tier has the changes, with the entries as written there. It is awaited and must not fail. */
  readonly flushed: (flush: Flush, written: ReadonlyMap<string, StoredEntry | undefined>) => Promise<void>;
}

/** The longest time in milliseconds that a change waits for others to be flushed with it, while more are being written. */
const GATHER_MS = 20;
/** The number of attempts before the next pause while checks fail. */
const MOST_ATTEMPTS = 3;

interface Waiting {
  /** The last change that must be flushed. */
  readonly number: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes the backlog to the far tier: in order, in batches, and repeatedly until it is there.
 *
 * It writes the state of each key, not the operations on it, and checks that the far tier's entry is still the one seen
 * there. So writing a state twice is harmless. An attempt that was given up on and takes effect late fails its check as
 * soon as a later flush took effect; where it would not fail, the flusher waits for it to end.
 */
export class Flusher {
  readonly #options: FlusherOptions;
  readonly #states = new FarStates();
  #waiting: Waiting[] = [];
  #failures = 0;
  #failure: unknown;
  #running: Promise<void> | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(options: FlusherOptions) {
    this.#options = options;
  }

  /** The error of the last attempt; `undefined`: it succeeded. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Starts flushing, unless it is in progress or stopped. */
  kick(): void {
    if (this.#stopped || this.#running !== undefined) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#options.backlog.size > 0) this.kick();
    });
  }

  /** Resolves when the present backlog is in the far tier; rejects with the error of a failed attempt. */
  flush(): Promise<void> {
    const { backlog } = this.#options;
    if (backlog.size === 0) return Promise.resolve();
    const done = this.#settled(backlog.number);
    this.kick();
    this.#wake?.();
    return done;
  }

  /** Resolves when the oldest change is in the far tier; rejects with the error of a failed attempt. */
  progress(): Promise<void> {
    const { oldest } = this.#options.backlog;
    if (oldest === undefined) return Promise.resolve();
    this.kick();
    return this.#settled(oldest.number);
  }

  /** Forgets what is known about the far tier, because it was cleared or may have been. */
  cleared(): void {
    this.#states.clear();
  }

  /** Makes no further attempt, and waits for the one in progress. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#running;
    const closed = new Refusal("KV_CLOSED", "the store was closed before the far tier had all changes");
    for (const { reject } of this.#waiting.splice(0)) reject(closed);
  }

  #settled(number: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ number, resolve, reject });
    });
  }

  async #run(): Promise<void> {
    for (;;) {
      await this.#gathered();
      const flush = this.#stopped ? undefined : this.#options.backlog.next(this.#options.batchSize);
      if (flush === undefined) return;
      try {
        await this.#options.beginning();
        const written = await this.#bring(flush);
        this.#failures = 0;
        this.#failure = undefined;
        await this.#options.flushed(flush, written);
        this.#tell();
      } catch (error) {
        this.#failures++;
        this.#failure = error;
        for (const { reject } of this.#waiting.splice(0)) reject(error);
        await this.#pause(this.#backoff());
      }
    }
  }

  /**
   * Waits briefly for a burst of writes to end: a flush in its midst would make the burst as slow as the far tier. Always
   * takes a turn of the event loop, because a far tier that answers at once would otherwise leave none to other work.
   */
  async #gathered(): Promise<void> {
    const { backlog, enough } = this.#options;
    for (let seen = -1; ; ) {
      await new Promise<void>(nextTurn);
      const { number, oldest, size } = backlog;
      const waits = oldest === undefined ? 0 : monotonicNow() - oldest.at;
      if (this.#stopped || this.#waiting.length > 0 || size >= enough || waits >= GATHER_MS) return;
      // Nothing was written in this turn.
      if (number === seen) return;
      seen = number;
    }
  }

  #tell(): void {
    const oldest = this.#options.backlog.oldest?.number ?? Number.POSITIVE_INFINITY;
    const done = this.#waiting.filter(({ number }) => number < oldest);
    this.#waiting = this.#waiting.filter(({ number }) => number >= oldest);
    for (const { resolve } of done) resolve();
  }

  /** At least 1 ms, whatever the caller's function returns, so that a turn of the event loop goes by. */
  #backoff(): number {
    try {
      const ms = this.#options.backoff(this.#failures);
      return Number.isNaN(ms) ? 1 : Math.max(1, ms);
    } catch {
      return LONGEST_PAUSE_MS;
    }
  }

  /** Ends early when `flush` or `stop` is called. */
  async #pause(ms: number): Promise<void> {
    if (this.#stopped) return;
    await new Promise<void>((resolve) => {
      const wait = timer(resolve, ms);
      wait.hold(this.#options.keepsAlive);
      this.#wake = () => {
        wait.cancel();
        resolve();
      };
    });
    this.#wake = undefined;
  }

  /** Returns the entries as they are now in the far tier. */
  async #bring(flush: Flush): Promise<ReadonlyMap<string, StoredEntry | undefined>> {
    const { id } = flush.namespace;
    try {
      for (let attempt = 1; ; attempt++) {
        const { commit, written, outlook } = await this.#planned(flush);
        const { late } = this.#options;
        late.assertHarmless(id, outlook);
        if (commit.mutations.length === 0) {
          late.brought(id, outlook);
          return written;
        }
        const [result] = await this.#options.far.commit(flush.namespace, [commit]);
        if (result?.status === "ok") {
          late.brought(id, outlook);
          this.#states.brought(id, commit.mutations, result, written);
          return written;
        }
        if (result?.status === "error") throw result.error;
        this.#states.forget(id, flush.states.keys());
        // The remembered state was wrong, or an attempt given up on has taken effect meanwhile.
        if (attempt < MOST_ATTEMPTS) continue;
        const message =
          "another writer has changed the far tier, which only this adapter may write to; stop the other writer";
        throw new Refusal("KV_CONFLICT", message, { retryable: true });
      }
    } catch (error) {
      this.#states.forget(id, flush.states.keys());
      throw error;
    }
  }

  async #planned({ namespace, states }: Flush): Promise<{
    readonly commit: Commit;
    readonly written: ReadonlyMap<string, StoredEntry | undefined>;
    readonly outlook: Outlook;
  }> {
    const unknown: string[] = [];
    for (const key of states.keys())
      if (this.#states.find(namespace.id, key) === undefined) unknown.push(key);
    const read = unknown.length === 0 ? [] : await this.#options.far.read(namespace, unknown);
    const found = new Map(unknown.map((key, i) => [key, read[i]]));
    const checks: Check[] = [];
    const mutations: Mutation[] = [];
    const written = new Map<string, StoredEntry | undefined>();
    const outlook = new Map<string, string | null | undefined>();
    for (const [key, state] of states) {
      const there = this.#states.find(namespace.id, key) ?? stateOf(found.get(key));
      const entry = this.#due(state, there.createdAt);
      written.set(key, entry);
      if (found.has(key) ? isThere(entry, found.get(key)) : entry === undefined && there.revision === null) {
        outlook.set(key, there.revision);
        continue;
      }
      outlook.set(key, entry === undefined ? null : undefined);
      if (there.revision !== undefined) checks.push({ key, revision: there.revision });
      mutations.push(entry === undefined ? { type: "delete", key } : setOf(entry));
    }
    return { commit: { checks, mutations }, written, outlook };
  }

  /** The entry that the far tier must get; `undefined`: none. */
  #due({ entry, sinceWhen }: State, createdAt: number | undefined): StoredEntry | undefined {
    if (entry === undefined) return undefined;
    if (entry.expiresAt !== undefined && entry.expiresAt <= this.#options.far.clock()) return undefined;
    return sinceWhen === "far" && createdAt !== undefined ? since(entry, createdAt) : entry;
  }
}
