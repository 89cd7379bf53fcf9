import { resultAt } from "../adapter-parts/answers.ts";
import type { PlannedCommit } from "../adapter-parts/deadline.ts";
import type { Connection } from "../connection/connection.ts";
import type { CommitResult, MaybePromise, Namespace, StoredEntry } from "../contract/adapter.ts";
import { isPromise } from "../contract/any-realm.ts";
import type { Limit } from "../runtime/timeouts.ts";
import { Batch, type Kind } from "./batch.ts";
import { NONE, ProgramOrder } from "./program-order.ts";

/** How many keys or commits go to the adapter in one call: the event loop gets a turn between two such calls. */
const SLICE = 1024;

/** The adapter's reads and commits for a section: made at once, because the section already has its turn in the queue. */
export interface Direct {
  read(keys: readonly string[]): Promise<(StoredEntry | undefined)[]>;
  commit(commit: PlannedCommit): Promise<CommitResult>;
  /** Gives up a call of the adapter that only reads when its time is over. */
  guard<T>(answer: Promise<T>): Promise<T>;
  /** The same for one that writes. */
  guardWrite<T>(answer: Promise<T>): Promise<T>;
}

/**
 * The operations of one namespace, in program order per key: an earlier call takes effect earlier, awaited or not.
 *
 * If the adapter answers at once and no operation is pending, a call goes straight through. Otherwise it joins a batch:
 * the one of the tick, or, if an operation on the same key is still under way, one that starts when that has settled.
 * So everything issued in one tick reaches the backend as one `read` and one `commit`.
 */
export class Lane {
  readonly #connection: Connection;
  readonly namespace: Namespace;
  readonly #order: ProgramOrder;
  constructor(connection: Connection, namespace: Namespace) {
    this.#connection = connection;
    this.namespace = namespace;
    this.#order = new ProgramOrder(connection, (batch) => this.#execute(batch));
  }

  /** A lane made while an ancestor's `clear` is pending has to wait for it, too. */
  inherit(above: Lane): void {
    this.#order.inherit(above.#order);
  }

  /** The live entry under a key. */
  readOne(key: string, payloadsOnly = false): MaybePromise<StoredEntry | undefined> {
    const connection = this.#connection;
    if (!connection.ready) return connection.enter(() => this.#readOneNow(key, payloadsOnly));
    return this.#readOneNow(key, payloadsOnly);
  }

  /** The live entry under a key, without its payload. */
  peekOne(key: string): MaybePromise<StoredEntry | undefined> {
    const connection = this.#connection;
    const { peek } = connection.adapter;
    if (peek === undefined) return this.readOne(key);
    const peeked = () => peek.call(connection.adapter, this.namespace, [key]);
    const entries = this.afterCommits(peeked);
    return isPromise(entries) ? entries.then(([entry]) => entry) : entries[0];
  }

  #readOneNow(key: string, payloadsOnly: boolean): MaybePromise<StoredEntry | undefined> {
    const { adapter } = this.#connection;
    if (adapter.batch.read || (!this.#order.idle && this.#order.mustWait([key]))) {
      const batch = this.#order.batchOfTick("read", key);
      if (batch !== undefined) return batch.addOne(key, undefined);
      return this.#enqueueRead([key]).then((entries) => entries[0]);
    }
    const entries = adapter.read(this.namespace, [key], payloadsOnly);
    if (isPromise(entries)) return this.#underWay("read", [key], entries).then((read) => read[0]);
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
        (!this.#order.idle && this.#order.mustWait(keys))
      ) {
        return this.#enqueueRead(keys, signal);
      }
      const entries = connection.adapter.read(this.namespace, keys, payloadsOnly);
      return isPromise(entries) ? this.#underWay("read", keys, entries) : entries;
    });
  }

  commitOne(commit: PlannedCommit, signal?: AbortSignal): MaybePromise<CommitResult> {
    const connection = this.#connection;
    if (!connection.ready) return connection.enter(() => this.#commitOneNow(commit, signal));
    return this.#commitOneNow(commit, signal);
  }

  #commitOneNow(commit: PlannedCommit, signal: AbortSignal | undefined): MaybePromise<CommitResult> {
    const { adapter } = this.#connection;
    if (adapter.batch.commit || !this.#order.idle) {
      const key = loneKey(commit);
      const batch = key === undefined ? undefined : this.#order.batchOfTick("commit", key);
      if (batch !== undefined) return batch.addOne(commit, signal);
      return this.#enqueueCommits([commit], signal).then((results) => resultAt(results, 0));
    }
    const results = this.#connection.commit(this.namespace, [commit]);
    if (isPromise(results)) {
      return this.#underWay("commit", keysOf([commit]), results).then((committed) => resultAt(committed, 0));
    }
    return resultAt(results, 0);
  }

  /** Several independent commits, in order. */
  commit(commits: readonly PlannedCommit[], signal?: AbortSignal): MaybePromise<readonly CommitResult[]> {
    const connection = this.#connection;
    return connection.enter(() => {
      const { adapter } = connection;
      if (adapter.batch.commit || !this.#order.idle || commits.length > SLICE)
        return this.#enqueueCommits(commits, signal);
      const results = connection.commit(this.namespace, commits);
      return isPromise(results) ? this.#underWay("commit", keysOf(commits), results) : results;
    });
  }

  /** Runs several steps on some keys, without any other operation of this store on those keys in between. */
  section<T>(keys: readonly string[], run: (direct: Direct) => Promise<T>): MaybePromise<T> {
    return this.#connection.enter(() => {
      const { after, join } = this.#order.dependencies("commit", keys);
      if (join !== undefined) after.add(join);
      return this.#exclusive(keys, after, run);
    });
  }

  /** Runs an operation on the keyspace as a whole: after all operations called before it, before all called later. */
  whole<T>(lanesNow: () => readonly Lane[], run: (direct: Direct) => MaybePromise<T>): MaybePromise<T> {
    return this.#connection.enter(() => {
      // While the adapter opens, more lanes may be made, whose operations wait behind this one.
      const lanes = lanesNow();
      const after = new Set(lanes.flatMap((lane) => [...lane.#order.unsettled]));
      if (after.size === 0) {
        const result = run(this.#direct());
        return isPromise(result) ? this.#behind(lanes, after, () => result) : result;
      }
      return this.#behind(lanes, after, run);
    });
  }

  #behind<T>(
    lanes: readonly Lane[],
    after: Set<Batch>,
    run: (direct: Direct) => MaybePromise<T>,
  ): Promise<T> {
    return this.#exclusive([], after, run, (batch) => {
      const connection = this.#connection;
      connection.work.begin();
      for (const lane of lanes) lane.#order.join(batch);
      batch.onTold(() => connection.work.end());
    });
  }

  /**
   * Runs a read of more than single keys, after the commits called before it and within the time of its call.
   * `accepted`: closing waits for it.
   */
  afterCommits<T>(run: () => MaybePromise<T>, accepted = true): MaybePromise<T> {
    const connection = this.#connection;
    return connection.enter(() => {
      const settled = this.#settledNow();
      if (settled === undefined) return connection.tracked(run);
      const call = () => connection.call(run);
      return connection.limits.after(settled, () => (accepted ? connection.continue(call) : call()));
    });
  }

  /** Resolves once the commits called before have settled; `undefined` if there are none. */
  settled(): Promise<unknown> | undefined {
    const connection = this.#connection;
    // Operations called before the adapter is open get here only when it is.
    if (!connection.ready) {
      const entered = connection.enter(() => this.#settledNow());
      return isPromise(entered) ? entered : undefined;
    }
    return this.#settledNow();
  }

  #settledNow(): Promise<unknown> | undefined {
    if (this.#order.idle) return undefined;
    return Promise.all(
      [...this.#order.unsettled].filter((batch) => batch.kind === "commit").map((batch) => batch.done),
    );
  }

  /** `waited`: the limit of the call, if it had to wait. It applies to the first answer; later ones have the full time again. */
  #direct(waited?: Limit): Direct {
    const { namespace } = this;
    const connection = this.#connection;
    const { adapter, limits } = connection;
    let first = waited;
    const taken = () => {
      const limit = first;
      first = undefined;
      return limit;
    };
    const direct: Direct = {
      guard: (answer) => limits.guard(answer, undefined, taken()),
      guardWrite: (answer) => limits.guardWrite(answer, taken()),
      async read(keys) {
        const read = adapter.read(namespace, keys);
        return isPromise(read) ? direct.guard(read) : read;
      },
      async commit(commit) {
        const committed = connection.commit(namespace, [commit]);
        return resultAt(isPromise(committed) ? await direct.guardWrite(committed) : committed, 0);
      },
    };
    return direct;
  }

  #exclusive<T>(
    keys: readonly string[],
    after: ReadonlySet<Batch>,
    run: (direct: Direct) => MaybePromise<T>,
    enlist?: (batch: Batch) => void,
  ): Promise<T> {
    const { limits } = this.#connection;
    return new Promise<T>((resolve, reject) => {
      const waits = after.size > 0 || limits.isGiven;
      const giveUp = () => {
        reject(limits.notBegun());
        batch.told();
      };
      const limit = waits ? limits.begin(giveUp) : undefined;
      const batch: Batch = new Batch("commit", async () => {
        if (limit !== undefined && limits.isSpent(limit)) return reject(limits.notBegun());
        if (limit !== undefined) limit.expire = () => undefined;
        try {
          resolve(await run(this.#direct(limit)));
        } catch (error) {
          reject(error);
        } finally {
          if (limit !== undefined) limits.end(limit);
        }
      });
      batch.shared = false;
      batch.deep = enlist !== undefined;
      if (enlist !== undefined) enlist(batch);
      else this.#order.admit(batch, keys);
      batch.startAfter(after);
    });
  }

  #enqueueRead(keys: readonly string[], signal?: AbortSignal): Promise<(StoredEntry | undefined)[]> {
    return this.#order.batchFor("read", keys).add(keys, signal);
  }

  #enqueueCommits(
    commits: readonly PlannedCommit[],
    signal: AbortSignal | undefined,
  ): Promise<CommitResult[]> {
    return this.#order.batchFor("commit", keysOf(commits)).add(commits, signal);
  }

  /** Tracks the adapter's promise of a call that was made at once. */
  #underWay<T>(kind: Kind, keys: readonly string[], result: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const connection = this.#connection;
      const batch = new Batch(kind, () =>
        (kind === "commit" ? connection.guardWrite(result) : connection.guard(result)).then(resolve, reject),
      );
      batch.shared = false;
      this.#order.admit(batch, keys);
      batch.startAfter(NONE);
    });
  }

  #execute(batch: Batch): MaybePromise<void> {
    const { adapter } = this.#connection;
    const { namespace } = this;
    return batch.kind === "read"
      ? batch.run((keys: readonly string[]) => adapter.read(namespace, keys), SLICE, this.#connection)
      : batch.run(
          (commits: readonly PlannedCommit[]) => this.#connection.commit(namespace, commits),
          SLICE,
          this.#connection,
        );
  }
}

/** The key of a commit that concerns only one. */
function loneKey({ checks, mutations }: PlannedCommit): string | undefined {
  const [mutation] = mutations;
  if (mutation === undefined || mutations.length > 1) return undefined;
  return checks.every((check) => check.key === mutation.key) ? mutation.key : undefined;
}

function keysOf(commits: readonly PlannedCommit[]): string[] {
  const keys: string[] = [];
  for (const { checks, mutations } of commits) {
    for (const { key } of checks) keys.push(key);
    for (const { key } of mutations) keys.push(key);
  }
  return keys;
}
