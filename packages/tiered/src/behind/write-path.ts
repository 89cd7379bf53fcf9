import {
  after,
  type Commit,
  type CommitResult,
  isPromise,
  type MaybePromise,
  type Namespace,
  Refusal,
  rescued,
  type StoredChange,
  type StoredEntry,
  timer,
} from "@kv/core";
import type { CopyKeeper } from "../near/copy-keeper.ts";
import { CommitMaker, type CommitMakerParts, type Latest, type Made } from "./commit-maker.ts";
import type { Flusher } from "./flusher.ts";
import type { Journal } from "./journal.ts";
import { PendingLimit, type PendingLimitParts } from "./pending-limit.ts";
import { type PendingRead, PendingReads } from "./pending-reads.ts";

/** Once one commit of the journal has this many changes, no further commit joins it. */
const MOST_TOGETHER = 1000;

export interface WritePathParts extends CommitMakerParts, PendingLimitParts {
  /** `undefined`: acknowledged changes live only as long as the process. */
  readonly journal: Journal | undefined;
  readonly flusher: Flusher;
  readonly keeper: CopyKeeper;
  /** Milliseconds that a write waits for a `clear` to end. */
  readonly timeout: number;
  /** The entries under keys that are not in the backlog. */
  readonly read: (namespace: Namespace, keys: readonly string[]) => MaybePromise<(StoredEntry | undefined)[]>;
  readonly publish: (namespaceId: string, changes: readonly StoredChange[]) => void;
}

interface Job {
  readonly namespace: Namespace;
  readonly commits: readonly Commit[];
  readonly pending: PendingRead;
  readonly resolve: (results: MaybePromise<CommitResult[]>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes commits on top of the backlog. States that a commit needs and the backlog does not have are read first; then
 * commits take effect one after the other. If there is a journal, a change is visible and reported only once it is in it.
 */
export class WritePath {
  readonly #parts: WritePathParts;
  readonly #maker: CommitMaker;
  readonly #pendingReads = new PendingReads();
  readonly #limit: PendingLimit;
  #jobs: Job[] = [];
  #writing: Promise<void> | undefined;
  /** The write of the current batch of jobs. */
  #batch: Promise<void> | undefined;
  /** Commits wait for it while an operation on whole namespaces runs. */
  #gate: Promise<unknown> | undefined;

  constructor(parts: WritePathParts) {
    this.#parts = parts;
    this.#maker = new CommitMaker(parts);
    this.#limit = new PendingLimit(parts);
  }

  commit(namespace: Namespace, commits: readonly Commit[]): MaybePromise<CommitResult[]> {
    if (this.#gate !== undefined) return this.#opened(this.#gate).then(() => this.commit(namespace, commits));
    const room = this.#limit.room();
    if (room !== undefined) return room.then(() => this.commit(namespace, commits));
    const fitting = this.#limit.fitting(commits);
    const fit = fitting === commits.length ? commits : commits.slice(0, fitting);
    const made = this.#limit.within(fit, () => this.#make(namespace, fit));
    if (fit === commits) return made;
    const rest = commits.slice(fitting);
    return after(made, (results) =>
      after(
        rescued(
          () => this.commit(namespace, rest),
          // The first commits have been made, so only the rest fails.
          (error) => rest.map((): CommitResult => ({ status: "error", error })),
        ),
        (others) => [...results, ...others],
      ),
    );
  }

  /** Makes commits that were admitted before. */
  #again(namespace: Namespace, commits: readonly Commit[]): MaybePromise<CommitResult[]> {
    if (this.#gate === undefined) return this.#make(namespace, commits);
    return this.#opened(this.#gate).then(() => this.#again(namespace, commits));
  }

  /** Resolves when the gate is open. @throws Refusal `KV_UNAVAILABLE` after `timeout` */
  async #opened(gate: Promise<unknown>): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const limit = timer(() => {
      const message =
        "the far tier has not finished an earlier clear(), and this write must not overtake it; try again";
      reject(new Refusal("KV_UNAVAILABLE", message, { retryable: true }));
    }, this.#parts.timeout);
    try {
      await Promise.race([gate, late]);
    } finally {
      limit.cancel();
    }
  }

  #make(namespace: Namespace, commits: readonly Commit[]): MaybePromise<CommitResult[]> {
    const pending = this.#pendingReads.begin(namespace, neededKeys(commits));
    return after(this.#learn(namespace, pending), (failure) => {
      if (failure === undefined) return this.#commitKnowing(namespace, commits, pending);
      this.#pendingReads.end(pending);
      // Commits that do not depend on existing entries do not need the far tier.
      return this.#commitBlind(namespace, commits, failure.error);
    });
  }

  /** The live entry under a key at the moment in which this resolves. */
  async current(namespace: Namespace, key: string): Promise<StoredEntry | undefined> {
    const pending = this.#pendingReads.begin(namespace, new Set([key]));
    try {
      const failure = await this.#learn(namespace, pending);
      if (failure !== undefined) throw failure.error;
      const entry = pending.states.get(key)?.entry;
      return entry?.expiresAt !== undefined && entry.expiresAt <= this.#parts.clock() ? undefined : entry;
    } finally {
      this.#pendingReads.end(pending);
    }
  }

  /** Runs after the accepted commits have been made and before any other commit. */
  async exclusive<T>(run: () => Promise<T>): Promise<T> {
    while (this.#gate !== undefined) await this.#gate;
    const gate = Promise.withResolvers<void>();
    this.#gate = gate.promise;
    try {
      await this.#writing;
      return await run();
    } finally {
      this.#pendingReads.spoil();
      this.#gate = undefined;
      gate.resolve();
    }
  }

  /** Resolves when the batch being written is visible or was refused. `undefined`: nothing is being written. */
  settled(): Promise<void> | undefined {
    return this.#batch;
  }

  /** Resolves when all accepted commits, including those waiting for a `clear` to end, are in the journal or were refused. */
  async idle(): Promise<void> {
    for (;;) {
      const busy = this.#gate ?? this.#writing;
      if (busy === undefined) return;
      await busy;
    }
  }

  /** Reads the states of the keys that the backlog does not have. Returns the error if that failed. */
  #learn(namespace: Namespace, pending: PendingRead): MaybePromise<{ readonly error: unknown } | undefined> {
    const keys: string[] = [];
    for (const key of pending.keys) {
      const state = this.#parts.backlog.find(namespace.id, key);
      if (state === undefined) keys.push(key);
      else pending.states.set(key, state);
    }
    if (keys.length === 0) return undefined;
    try {
      const read = this.#parts.read(namespace, keys);
      if (!isPromise(read)) {
        this.#pendingReads.arrived(pending, keys, read);
        return undefined;
      }
      return read.then(
        (entries) => {
          this.#pendingReads.arrived(pending, keys, entries);
          return undefined;
        },
        (error: unknown) => ({ error }),
      );
    } catch (error) {
      return { error };
    }
  }

  #commitKnowing(
    namespace: Namespace,
    commits: readonly Commit[],
    pending: PendingRead,
  ): MaybePromise<CommitResult[]> {
    if (pending.stale || this.#gate !== undefined) {
      this.#pendingReads.end(pending);
      return this.#again(namespace, commits);
    }
    if (this.#parts.journal === undefined) {
      this.#pendingReads.end(pending);
      const made = this.#maker.make(namespace, commits, pending, new Map());
      this.#publish(made);
      return made.results;
    }
    return new Promise((resolve, reject) => {
      this.#jobs.push({ namespace, commits, pending, resolve, reject });
      this.#writing ??= this.#write(this.#parts.journal as Journal);
    });
  }

  /** Makes the commits that set whole entries; the others fail with the error of the far tier. */
  #commitBlind(
    namespace: Namespace,
    commits: readonly Commit[],
    error: unknown,
  ): MaybePromise<CommitResult[]> {
    const blind = commits.filter((commit) => neededKeys([commit]).size === 0);
    if (blind.length === 0) throw error;
    return after(this.#again(namespace, blind), (results) => {
      const made = new Map(blind.map((commit, i) => [commit, results[i]]));
      return commits.map((commit): CommitResult => made.get(commit) ?? { status: "error", error });
    });
  }

  async #write(journal: Journal): Promise<void> {
    // Commits of the same tick are written together.
    await Promise.resolve();
    while (this.#jobs.length > 0) {
      this.#batch = this.#writeTogether(journal);
      await this.#batch;
    }
    // In the same step that found no more jobs: a caller may make its next commit before this promise has resolved.
    this.#batch = undefined;
    this.#writing = undefined;
  }

  /** Writes as many of the jobs as fit into one commit of the journal. */
  async #writeTogether(journal: Journal): Promise<void> {
    const jobs: Job[] = [];
    const answers: { readonly job: Job; readonly made: Made }[] = [];
    const latest: Latest = new Map();
    let size = 0;
    while (this.#jobs.length > 0 && size < MOST_TOGETHER) {
      const job = this.#jobs.shift() as Job;
      jobs.push(job);
      try {
        const made = this.#maker.make(job.namespace, job.commits, job.pending, latest);
        for (const { change } of made.changes) size += change.states.size;
        answers.push({ job, made });
      } catch (error) {
        job.reject(error);
      }
    }
    try {
      const changes = answers.flatMap(({ made }) => made.changes.map(({ change }) => change));
      if (changes.length > 0) await journal.write(changes);
      for (const { job, made } of answers) {
        this.#publish(made);
        job.resolve(made.results);
      }
    } catch (error) {
      for (const { job } of answers) job.reject(error);
    }
    for (const { pending } of jobs) this.#pendingReads.end(pending);
  }

  /** Makes acknowledged changes visible and reports them to watchers. */
  #publish({ changes }: Made): void {
    const { backlog, flusher, keeper, publish } = this.#parts;
    for (const { change, told } of changes) {
      const { namespace, states } = change;
      backlog.add(change);
      this.#pendingReads.changed(namespace.id, states);
      // The backlog answers for the keys until they are flushed; then the copies are replaced.
      keeper.forChanging(namespace).forget(states.keys());
      if (told.length > 0) publish(namespace.id, told);
    }
    if (changes.length > 0) flusher.kick();
  }
}

/** The keys whose state the commits depend on: all except those that are set without regard to the existing entry. */
function neededKeys(commits: readonly Commit[]): Set<string> {
  const needed = new Set<string>();
  for (const { checks, mutations } of commits) {
    for (const { key } of checks) needed.add(key);
    for (const mutation of mutations) {
      if (mutation.type !== "set" || mutation.expiresAt === "keep") needed.add(mutation.key);
    }
  }
  return needed;
}
