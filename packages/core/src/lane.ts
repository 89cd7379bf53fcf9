import type { Commit, CommitResult, MaybePromise, Namespace, StoredEntry } from "./adapter.ts";
import { Batch, type Kind } from "./batch.ts";
import type { Connection } from "./connection.ts";
import { endOfTick } from "./platform.ts";

/** How many keys or commits go to the adapter in one call: the event loop gets a turn between two such calls. */
const SLICE = 1024;
const NONE: ReadonlySet<Batch> = new Set();

/** The adapter's reads and commits as a section may make them: at once, past the queue whose turn the section has. */
export interface Direct {
  read(keys: readonly string[]): Promise<(StoredEntry | undefined)[]>;
  commit(commit: Commit): Promise<CommitResult>;
}

/**
 * The operations of one namespace, in program order per key: what was called first takes effect first, awaited or not.
 *
 * Where the adapter answers at once and nothing is under way, a call goes straight through. Otherwise it joins a batch:
 * the one of the tick, or, if an operation on the same key is still under way, one that starts when that has settled.
 * So everything issued in one tick reaches the backend as one `read` and one `commit`.
 */
export class Lane {
  readonly #connection: Connection;
  readonly namespace: Namespace;
  /** The tick's batches, still filling. */
  readonly #open: { read: Batch | undefined; commit: Batch | undefined } = {
    read: undefined,
    commit: undefined,
  };
  /** The last unsettled batch that has the key. */
  readonly #busy = new Map<string, Batch>();
  readonly #unsettled = new Set<Batch>();
  /** What every later operation has to wait for: a `clear` under way. */
  #barrier: Batch | undefined;

  constructor(connection: Connection, namespace: Namespace) {
    this.#connection = connection;
    this.namespace = namespace;
  }

  /** The live entry under a key. */
  readOne(key: string, payloadsOnly = false): MaybePromise<StoredEntry | undefined> {
    const connection = this.#connection;
    if (!connection.ready) return connection.enter(() => this.#readOneNow(key, payloadsOnly));
    return this.#readOneNow(key, payloadsOnly);
  }

  #readOneNow(key: string, payloadsOnly: boolean): MaybePromise<StoredEntry | undefined> {
    const { adapter } = this.#connection;
    if (adapter.batch.read || (this.#unsettled.size > 0 && this.#mustWait([key]))) {
      const batch = this.#batchOfTick("read", key);
      if (batch !== undefined) return batch.addOne(key, undefined);
      return this.#enqueueRead([key]).then((entries) => entries[0]);
    }
    const entries = adapter.read(this.namespace, [key], payloadsOnly);
    if (entries instanceof Promise) return this.#underWay("read", [key], entries).then((read) => read[0]);
    return entries[0];
  }

  read(
    keys: readonly string[],
    signal: AbortSignal | undefined,
    payloadsOnly: boolean,
  ): MaybePromise<(StoredEntry | undefined)[]> {
    const connection = this.#connection;
    return connection.enter(() => {
      if (
        connection.adapter.batch.read ||
        keys.length > SLICE ||
        (this.#unsettled.size > 0 && this.#mustWait(keys))
      ) {
        return this.#enqueueRead(keys, signal);
      }
      const entries = connection.adapter.read(this.namespace, keys, payloadsOnly);
      return entries instanceof Promise ? this.#underWay("read", keys, entries) : entries;
    });
  }

  commitOne(commit: Commit, signal?: AbortSignal): MaybePromise<CommitResult> {
    const connection = this.#connection;
    if (!connection.ready) return connection.enter(() => this.#commitOneNow(commit, signal));
    return this.#commitOneNow(commit, signal);
  }

  #commitOneNow(commit: Commit, signal: AbortSignal | undefined): MaybePromise<CommitResult> {
    const { adapter } = this.#connection;
    if (adapter.batch.commit || this.#unsettled.size > 0) {
      const key = loneKey(commit);
      const batch = key === undefined ? undefined : this.#batchOfTick("commit", key);
      if (batch !== undefined) return batch.addOne(commit, signal);
      return this.#enqueueCommits([commit], signal).then((results) => resultAt(results, 0));
    }
    const results = adapter.commit(this.namespace, [commit]);
    if (results instanceof Promise) {
      return this.#underWay("commit", keysOf([commit]), results).then((committed) => resultAt(committed, 0));
    }
    return resultAt(results, 0);
  }

  /** Several commits, each for itself, in order. */
  commit(commits: readonly Commit[], signal?: AbortSignal): MaybePromise<readonly CommitResult[]> {
    const connection = this.#connection;
    return connection.enter(() => {
      const { adapter } = connection;
      if (adapter.batch.commit || this.#unsettled.size > 0 || commits.length > SLICE)
        return this.#enqueueCommits(commits, signal);
      const results = adapter.commit(this.namespace, commits);
      return results instanceof Promise ? this.#underWay("commit", keysOf(commits), results) : results;
    });
  }

  /** Several steps on some keys that nothing of this store may come between. */
  section<T>(keys: readonly string[], run: (direct: Direct) => Promise<T>): MaybePromise<T> {
    return this.#connection.enter(() => {
      const { after, join } = this.#dependencies("commit", keys);
      if (join !== undefined) after.add(join);
      return this.#exclusive(keys, after, () => run(this.#direct()));
    });
  }

  /** Something on the keyspace as a whole: after all that was called before, before all that is called later. */
  whole<T>(lanesNow: () => readonly Lane[], run: (direct: Direct) => MaybePromise<T>): MaybePromise<T> {
    return this.#connection.enter(() => {
      // While the adapter opens there may come more, whose operations wait behind this one.
      const lanes = lanesNow();
      const after = new Set(lanes.flatMap((lane) => [...lane.#unsettled]));
      if (after.size === 0) {
        const result = run(this.#direct());
        return result instanceof Promise ? this.#behind(lanes, after, () => result) : result;
      }
      return this.#behind(lanes, after, () => run(this.#direct()));
    });
  }

  #behind<T>(lanes: readonly Lane[], after: Set<Batch>, run: () => MaybePromise<T>): Promise<T> {
    return this.#exclusive([], after, run, (batch) => {
      const connection = this.#connection;
      connection.begin();
      for (const lane of lanes) lane.#join(batch);
      batch.onSettled(() => connection.end());
    });
  }

  /** Resolves once the commits that were called before have settled; `undefined`: there are none. */
  settled(): Promise<unknown> | undefined {
    const connection = this.#connection;
    // What was called before the adapter is open gets here only when it is.
    if (!connection.ready) {
      const entered = connection.enter(() => this.#settledNow());
      return entered instanceof Promise ? entered : undefined;
    }
    return this.#settledNow();
  }

  #settledNow(): Promise<unknown> | undefined {
    if (this.#unsettled.size === 0) return undefined;
    return Promise.all(
      [...this.#unsettled].filter((batch) => batch.kind === "commit").map((batch) => batch.done),
    );
  }

  /** A lane made while an ancestor's `clear` is under way has to wait for it, too. */
  inherit(above: Lane): void {
    if (above.#barrier?.deep) this.#join(above.#barrier);
  }

  #join(barrier: Batch): void {
    this.#barrier = barrier;
    this.#unsettled.add(barrier);
    barrier.onSettled(() => {
      this.#unsettled.delete(barrier);
      if (this.#barrier === barrier) this.#barrier = undefined;
    });
  }

  #direct(): Direct {
    const { namespace } = this;
    const connection = this.#connection;
    const { adapter } = connection;
    const awaited = async <T>(result: MaybePromise<T>): Promise<T> =>
      result instanceof Promise ? connection.guard(result) : result;
    return {
      read: async (keys) => awaited(adapter.read(namespace, keys)),
      commit: async (commit) => resultAt(await awaited(adapter.commit(namespace, [commit])), 0),
    };
  }

  #exclusive<T>(
    keys: readonly string[],
    after: ReadonlySet<Batch>,
    run: () => MaybePromise<T>,
    enlist?: (batch: Batch) => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const batch = new Batch("commit", async () => {
        try {
          resolve(await run());
        } catch (error) {
          reject(error);
        }
      });
      batch.shared = false;
      batch.deep = enlist !== undefined;
      if (enlist !== undefined) enlist(batch);
      else this.#admit(batch, keys);
      batch.startAfter(after);
    });
  }

  #enqueueRead(keys: readonly string[], signal?: AbortSignal): Promise<(StoredEntry | undefined)[]> {
    const batch = this.#batchFor("read", keys);
    this.#occupy(batch, keys);
    return batch.add(keys, signal);
  }

  #enqueueCommits(commits: readonly Commit[], signal: AbortSignal | undefined): Promise<CommitResult[]> {
    const keys = keysOf(commits);
    const batch = this.#batchFor("commit", keys);
    this.#occupy(batch, keys);
    return batch.add(commits, signal);
  }

  /** An adapter's own promise, given for a call that was made at once. */
  #underWay<T>(kind: Kind, keys: readonly string[], result: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const batch = new Batch(kind, () => this.#connection.guard(result).then(resolve, reject));
      batch.shared = false;
      this.#admit(batch, keys);
      batch.startAfter(NONE);
    });
  }

  /** The tick's batch, with the key in it, if nothing on the key is under way: what nearly every operation finds. */
  #batchOfTick(kind: Kind, key: string): Batch | undefined {
    if (this.#barrier !== undefined) return undefined;
    const last = this.#busy.get(key);
    const open = this.#open[kind];
    if (last !== undefined) return last === open ? open : undefined;
    const batch = open ?? this.#newBatch(kind, NONE, true);
    this.#busy.set(key, batch);
    batch.keys.push(key);
    return batch;
  }

  /** Whether a read of these keys has to wait for an operation before it. */
  #mustWait(keys: readonly string[]): boolean {
    if (this.#barrier !== undefined) return true;
    return keys.some((key) => {
      const last = this.#busy.get(key);
      return last !== undefined && !(last.kind === "read" && last.started);
    });
  }

  /** The batches that have to settle first, and the one, not yet started, that can be joined instead. */
  #dependencies(kind: Kind, keys: readonly string[]): { after: Set<Batch>; join: Batch | undefined } {
    const after = new Set<Batch>();
    let join: Batch | undefined;
    if (this.#barrier !== undefined) after.add(this.#barrier);
    if (this.#busy.size === 0) return { after, join };
    for (const key of keys) {
      const last = this.#busy.get(key);
      if (last === undefined) continue;
      // A read need not wait for another one; but one that waits itself does so for a write, which this one must see, too.
      if (kind === "read" && last.kind === "read" && last.started) continue;
      if (last.kind === kind && last.shared && !last.started && (join === undefined || join === last)) {
        join = last;
        continue;
      }
      after.add(last);
      for (const prior of last.prior ?? []) after.add(prior);
    }
    return { after, join };
  }

  #batchFor(kind: Kind, keys: readonly string[]): Batch {
    const { after, join } = this.#dependencies(kind, keys);
    if (join !== undefined) {
      after.delete(join);
      if (after.size === 0) return join;
      after.add(join);
    }
    if (after.size === 0) return this.#open[kind] ?? this.#newBatch(kind, after, true);
    const [only] = after;
    if (after.size > 1 || only === undefined) return this.#newBatch(kind, after, false);
    only.next ??= { read: undefined, commit: undefined };
    let next = only.next[kind];
    if (next === undefined || next.started || next.owner !== this) {
      next = this.#newBatch(kind, after, false);
      only.next[kind] = next;
    }
    return next;
  }

  #newBatch(kind: Kind, after: ReadonlySet<Batch>, ofTick: boolean): Batch {
    const batch: Batch = new Batch(kind, () => {
      if (this.#open[kind] === batch) this.#open[kind] = undefined;
      return this.#execute(batch);
    });
    batch.owner = this;
    this.#admit(batch, []);
    if (ofTick) {
      this.#open[kind] = batch;
      const start = () => batch.startAfter(after);
      // A driver that answers synchronously would go from tick to tick and never come to a turn of the event loop.
      const turn = this.#connection.pace.breathe();
      if (turn === undefined) endOfTick(start);
      else turn.then(start, start);
    } else batch.startAfter(after);
    return batch;
  }

  #admit(batch: Batch, keys: readonly string[]): void {
    const connection = this.#connection;
    connection.begin();
    this.#unsettled.add(batch);
    this.#occupy(batch, keys);
    batch.onSettled(() => {
      this.#unsettled.delete(batch);
      if (this.#unsettled.size === 0) this.#busy.clear();
      else for (const key of batch.keys) if (this.#busy.get(key) === batch) this.#busy.delete(key);
      connection.end();
    });
  }

  #occupy(batch: Batch, keys: readonly string[]): void {
    for (const key of keys) {
      const last = this.#busy.get(key);
      if (last === batch) continue;
      if (last !== undefined && last.kind === "read" && batch.kind === "read") batch.addPrior(last);
      this.#busy.set(key, batch);
      batch.keys.push(key);
    }
  }

  #execute(batch: Batch): MaybePromise<void> {
    const { adapter } = this.#connection;
    const { namespace } = this;
    return batch.kind === "read"
      ? batch.run((keys: readonly string[]) => adapter.read(namespace, keys), SLICE, this.#connection)
      : batch.run(
          (commits: readonly Commit[]) => adapter.commit(namespace, commits),
          SLICE,
          this.#connection,
        );
  }
}

export function resultAt(results: readonly CommitResult[], i: number): CommitResult {
  const result = results[i];
  if (result === undefined)
    throw new TypeError("the adapter answered with fewer results than there were commits");
  return result;
}

/** The key of a commit that concerns only one. */
function loneKey({ checks, mutations }: Commit): string | undefined {
  const [mutation] = mutations;
  if (mutation === undefined || mutations.length > 1) return undefined;
  return checks.every((check) => check.key === mutation.key) ? mutation.key : undefined;
}

function keysOf(commits: readonly Commit[]): string[] {
  const keys: string[] = [];
  for (const { checks, mutations } of commits) {
    for (const { key } of checks) keys.push(key);
    for (const { key } of mutations) keys.push(key);
  }
  return keys;
}
