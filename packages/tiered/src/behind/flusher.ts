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
  /** The far tier as it is, given up after a while. */
  readonly far: Adapter;
  /** Its commits that were given up. */
  readonly late: LateAttempts;
  readonly backlog: Backlog;
  /** The most keys in one commit of the far tier. */
  readonly batchSize: number;
  /** So many states are flushed even while more are coming. */
  readonly enough: number;
  /** Milliseconds until the next attempt, after so many that failed: 1, 2, … */
  readonly backoff: (failures: number) => number;
  /** Whether the process lives until the far tier has everything: where what waits would be lost with it. */
  readonly keepsAlive: boolean;
  /** Before the far tier is written to. */
  readonly beginning: () => Promise<void> | undefined;
  /** The far tier has them; entries as they were written there. What it does is waited for, and must not fail. */
  readonly flushed: (flush: Flush, written: ReadonlyMap<string, StoredEntry | undefined>) => Promise<void>;
}

/** Milliseconds that a change waits at most for others to go along while more are being made. */
const GATHER_MS = 20;
/** How often what is not as it was thought to be is looked at again before the next pause. */
const MOST_ATTEMPTS = 3;

interface Waiting {
  /** The change up to which it waits. */
  readonly number: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Brings the backlog to the far tier: in order, batched, again and again until it is there.
 *
 * What is brought is the state that a key has, not what was done to it, and under the check that the far tier's entry is
 * still the one that was seen there. So it does no harm to bring it twice, and an attempt that was given up and takes
 * effect late is refused by the check as soon as anything later was brought; where it would not be, it is waited for.
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

  /** What the last attempt failed with; `undefined`: it did not. */
  get failure(): unknown {
    return this.#failure;
  }

  /** There is something to flush. */
  kick(): void {
    if (this.#stopped || this.#running !== undefined) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#options.backlog.size > 0) this.kick();
    });
  }

  /** Resolves when what is in the backlog now is in the far tier; rejects with what keeps it from getting there. */
  flush(): Promise<void> {
    const { backlog } = this.#options;
    if (backlog.size === 0) return Promise.resolve();
    const done = this.#settled(backlog.number);
    this.kick();
    this.#wake?.();
    return done;
  }

  /** Resolves when there is less in the backlog than now; rejects with what keeps it from getting less. */
  progress(): Promise<void> {
    const { oldest } = this.#options.backlog;
    if (oldest === undefined) return Promise.resolve();
    this.kick();
    return this.#settled(oldest.number);
  }

  /** The far tier was cleared, or may have been: nothing is known of it any more. */
  cleared(): void {
    this.#states.clear();
  }

  /** Makes no further attempt, and waits for the one under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#running;
    const closed = new Refusal("KV_CLOSED", "the store was closed before the far tier had everything");
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
   * Whoever writes without a pause goes first, for a moment: a flush amid a burst makes the burst as slow as the far tier.
   * A turn of the event loop in any case: where the far tier answers at once, nothing else would get one.
   */
  async #gathered(): Promise<void> {
    const { backlog, enough } = this.#options;
    for (let seen = -1; ; ) {
      await new Promise<void>(nextTurn);
      const { number, oldest, size } = backlog;
      const waits = oldest === undefined ? 0 : monotonicNow() - oldest.at;
      if (this.#stopped || this.#waiting.length > 0 || size >= enough || waits >= GATHER_MS) return;
      // Nobody wrote in this turn.
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

  /** Whatever a caller's function says: at least a turn of the event loop. */
  #backoff(): number {
    try {
      const ms = this.#options.backoff(this.#failures);
      return Number.isNaN(ms) ? 1 : Math.max(1, ms);
    } catch {
      return LONGEST_PAUSE_MS;
    }
  }

  /** Or until somebody wants it flushed now. */
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

  /** → the entries as they are now in the far tier */
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
        // What was remembered is not so, or an attempt that had been given up has taken effect meanwhile.
        if (attempt < MOST_ATTEMPTS) continue;
        const message = "somebody else writes to the far tier, which is this adapter's alone";
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

  /** The entry that is to be in the far tier; `undefined`: none. */
  #due({ entry, sinceWhen }: State, createdAt: number | undefined): StoredEntry | undefined {
    if (entry === undefined) return undefined;
    if (entry.expiresAt !== undefined && entry.expiresAt <= this.#options.far.clock()) return undefined;
    return sinceWhen === "far" && createdAt !== undefined ? since(entry, createdAt) : entry;
  }
}
