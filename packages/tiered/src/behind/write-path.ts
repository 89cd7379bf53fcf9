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

/** Changes that go to the journal in one commit, at most: one more commit does not get in. */
const MOST_TOGETHER = 1000;

export interface WritePathParts extends CommitMakerParts, PendingLimitParts {
  /** `undefined`: what is acknowledged lives as long as the process. */
  readonly journal: Journal | undefined;
  readonly flusher: Flusher;
  readonly keeper: CopyKeeper;
  /** Milliseconds that a write waits for a clearing to end. */
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
 * Makes commits upon the backlog. What a commit must know and the backlog does not is read first; then commits take
 * effect one after the other. Where there is a journal, nobody sees or is told of what is not in it yet.
 */
export class WritePath {
  readonly #parts: WritePathParts;
  readonly #maker: CommitMaker;
  readonly #pendingReads = new PendingReads();
  readonly #limit: PendingLimit;
  #jobs: Job[] = [];
  #writing: Promise<void> | undefined;
  /** Those of the jobs that are being written. */
  #batch: Promise<void> | undefined;
  /** While something is done to whole namespaces, commits wait. */
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
          // The first ones have been made.
          (error) => rest.map((): CommitResult => ({ status: "error", error })),
        ),
        (others) => [...results, ...others],
      ),
    );
  }

  /** For what has its room already. */
  #again(namespace: Namespace, commits: readonly Commit[]): MaybePromise<CommitResult[]> {
    if (this.#gate === undefined) return this.#make(namespace, commits);
    return this.#opened(this.#gate).then(() => this.#again(namespace, commits));
  }

  /** Resolves when the gate is open. @throws Refusal where that takes too long */
  async #opened(gate: Promise<unknown>): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const limit = timer(() => {
      const message =
        "the far tier has not answered a clearing, which what is written now must not get before";
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
      // What needs to know nothing of the far tier does not need the far tier.
      return this.#commitBlind(namespace, commits, failure.error);
    });
  }

  /** What is under a key, up to the moment in which this resolves. */
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

  /** Runs when the commits that were accepted have been made, and before any other is. */
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

  /** Resolves when everybody sees what is being written, or it was refused. `undefined`: nothing is. */
  settled(): Promise<void> | undefined {
    return this.#batch;
  }

  /** Resolves when what was accepted is in the journal, or refused: also what waits for a clearing to end. */
  async idle(): Promise<void> {
    for (;;) {
      const busy = this.#gate ?? this.#writing;
      if (busy === undefined) return;
      await busy;
    }
  }

  /** → what kept it from knowing */
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

  /** Those of the commits that set whole entries are made, and the others fail as the far tier did. */
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
    // What comes in this tick goes along.
    await Promise.resolve();
    while (this.#jobs.length > 0) {
      this.#batch = this.#writeTogether(journal);
      await this.#batch;
    }
    // In the step that found no more jobs: who is told of its commit first may make the next one before this is over.
    this.#batch = undefined;
    this.#writing = undefined;
  }

  /** As many of the jobs as one commit of the journal takes. */
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

  /** It is acknowledged: from now on everybody sees it. */
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

/** The keys whose state a commit depends on: all but those that it sets whatever they were. */
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
