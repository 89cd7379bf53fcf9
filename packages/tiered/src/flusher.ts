import { type Adapter, type Check, type Commit, type Mutation, Refusal, type StoredEntry } from "@kv/core";
import type { Backlog, Flush, State } from "./backlog.ts";
import { asWritten } from "./far-entries.ts";
import { headerOf } from "./header.ts";
import { LONGEST_PAUSE_MS } from "./options.ts";

export interface FlusherOptions {
  /** The far tier as it is, given up after a while. */
  readonly far: Adapter;
  readonly backlog: Backlog;
  /** The most keys in one commit of the far tier. */
  readonly batchSize: number;
  /** Milliseconds until the next attempt, after so many that failed: 1, 2, … */
  readonly backoff: (failures: number) => number;
  /** The far tier has them; entries as they were written there. What it does is waited for, and must not fail. */
  readonly flushed: (flush: Flush, written: ReadonlyMap<string, StoredEntry | undefined>) => Promise<void>;
}

/** How often what somebody else changed meanwhile is looked at again before the next pause. */
const MOST_ATTEMPTS = 3;
/** Timers hold 31 bits: longer ones would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

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
 * effect late is refused by the check as soon as anything later was brought.
 */
export class Flusher {
  readonly #options: FlusherOptions;
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
    // What is written in this tick goes along.
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    for (;;) {
      const flush = this.#stopped ? undefined : this.#options.backlog.next(this.#options.batchSize);
      if (flush === undefined) return;
      try {
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

  #tell(): void {
    const oldest = this.#options.backlog.oldest?.number ?? Number.POSITIVE_INFINITY;
    const done = this.#waiting.filter(({ number }) => number < oldest);
    this.#waiting = this.#waiting.filter(({ number }) => number >= oldest);
    for (const { resolve } of done) resolve();
  }

  /** Whatever a caller's function says: at least a turn of the event loop, and no more than a timer holds. */
  #backoff(): number {
    try {
      const ms = this.#options.backoff(this.#failures);
      return ms >= 1 ? Math.min(ms, MAX_TIMER_MS) : 1;
    } catch {
      return LONGEST_PAUSE_MS;
    }
  }

  /** Or until somebody wants it flushed now. */
  async #pause(ms: number): Promise<void> {
    if (this.#stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  /** → the entries as they are now in the far tier */
  async #bring(flush: Flush): Promise<ReadonlyMap<string, StoredEntry | undefined>> {
    for (let attempt = 1; ; attempt++) {
      const { commit, written } = await this.#planned(flush);
      if (commit.mutations.length === 0) return written;
      const [result] = await this.#options.far.commit(flush.namespace, [commit]);
      if (result?.status === "ok") return written;
      if (result?.status === "error") throw result.error;
      // An attempt that had been given up has taken effect meanwhile.
      if (attempt < MOST_ATTEMPTS) continue;
      const message = "somebody else writes to the far tier, which is this adapter's alone";
      throw new Refusal("KV_CONFLICT", message, { retryable: true });
    }
  }

  async #planned({ namespace, states }: Flush): Promise<{
    readonly commit: Commit;
    readonly written: ReadonlyMap<string, StoredEntry | undefined>;
  }> {
    const keys = [...states.keys()];
    const found = await this.#options.far.read(namespace, keys);
    const checks: Check[] = [];
    const mutations: Mutation[] = [];
    const written = new Map<string, StoredEntry | undefined>();
    for (const [i, key] of keys.entries()) {
      const there = found[i];
      const entry = this.#due(states.get(key), there);
      written.set(key, entry);
      if (isThere(entry, there)) continue;
      const check = checkOf(key, there);
      if (check !== undefined) checks.push(check);
      mutations.push(entry === undefined ? { type: "delete", key } : setOf(entry));
    }
    return { commit: { checks, mutations }, written };
  }

  /** The entry that is to be in the far tier; `undefined`: none. */
  #due(state: State | undefined, there: StoredEntry | undefined): StoredEntry | undefined {
    const entry = state?.entry;
    if (entry === undefined) return undefined;
    if (entry.expiresAt !== undefined && entry.expiresAt <= this.#options.far.clock()) return undefined;
    return state?.sinceWhen === "far" ? since(entry, there) : entry;
  }
}

/** The entry with the far tier's `createdAt`, where the far tier has one. */
export function since(entry: StoredEntry, there: StoredEntry | undefined): StoredEntry {
  const createdAt = there === undefined ? entry.createdAt : readable(() => asWritten(there).createdAt);
  return {
    key: entry.key,
    payload: entry.payload,
    encoding: entry.encoding,
    revision: entry.revision,
    createdAt: createdAt ?? entry.createdAt,
    updatedAt: entry.updatedAt,
    expiresAt: entry.expiresAt,
    policy: entry.policy,
    user: entry.user,
    size: entry.size,
  };
}

function isThere(entry: StoredEntry | undefined, there: StoredEntry | undefined): boolean {
  if (entry === undefined || there === undefined) return entry === there;
  return (
    readable(() => asWritten(there).revision) === entry.revision &&
    there.expiresAt === entry.expiresAt &&
    there.policy === entry.policy
  );
}

function checkOf(key: string, there: StoredEntry | undefined): Check | undefined {
  if (there === undefined) return { key, revision: null };
  const revision = readable(() => there.revision);
  return revision === undefined ? undefined : { key, revision };
}

function setOf(entry: StoredEntry): Mutation {
  const { key, payload, encoding, expiresAt, policy } = entry;
  return { type: "set", key, payload, encoding, expiresAt, policy, user: headerOf(entry) };
}

/** An altered entry throws where its fields are asked for; it is overwritten, whatever it was. */
function readable<T>(field: () => T): T | undefined {
  try {
    return field();
  } catch {
    return undefined;
  }
}
