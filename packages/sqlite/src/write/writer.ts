import {
  addToNumber,
  type Check,
  type Commit,
  type CommitResult,
  CorruptEntry,
  type IncrementMutation,
  type Mutation,
  monotonicNow,
  type Namespace,
  type Outcome,
  type SetMutation,
  type TouchMutation,
} from "@kv/core";
import type Sqlite from "better-sqlite3";
import type { Transactions } from "../connection/transactions.ts";
import { MORE } from "../connection/write-queue.ts";
import { isOwnFault, refusesNull } from "../errors.ts";
import { checksum, EVICTABLE, writeChecksum } from "../stored/checksum.ts";
import type { DeadlineFlag } from "../stored/deadline-flag.ts";
import { isExpired } from "../stored/entry.ts";
import { type Namespaces, NOWHERE, VanishedNamespace } from "../stored/namespaces.ts";
import type { Revisions } from "../stored/revisions.ts";
import type { Tables } from "../stored/schema.ts";
import { extentOf, inserts, isOver, loneMutation } from "./commit-shape.ts";
import type { RevisionBlocks } from "./revision-blocks.ts";
import { assertWritten, type Statements, writeStatements } from "./write-statements.ts";

/** Milliseconds after which another transaction continues the batch, in the next turn of the event loop. */
const BATCH_MS = 4;
/** Commits between two looks at the clock. */
const PER_LOOK = 32;

/** Applies commits. Every method needs the write lock to be free, and throws if it is not. */
export class Writer {
  readonly #statements: Statements;
  readonly #namespaces: Namespaces;
  readonly #blocks: RevisionBlocks;
  readonly #deadlines: DeadlineFlag;
  readonly #revisions: Revisions;
  readonly #transactions: Transactions;
  readonly #clock: () => number;

  constructor(
    db: Sqlite.Database,
    tables: Tables,
    parts: {
      readonly namespaces: Namespaces;
      readonly blocks: RevisionBlocks;
      readonly deadlines: DeadlineFlag;
      readonly revisions: Revisions;
      readonly transactions: Transactions;
    },
    clock: () => number,
  ) {
    this.#statements = writeStatements(db, tables);
    this.#namespaces = parts.namespaces;
    this.#blocks = parts.blocks;
    this.#deadlines = parts.deadlines;
    this.#revisions = parts.revisions;
    this.#transactions = parts.transactions;
    this.#clock = clock;
  }

  /** Applies commits that have no result yet, as many as one slice takes, and appends their results. */
  step(
    namespace: Namespace,
    commits: readonly Commit[],
    results: CommitResult[],
  ): CommitResult[] | typeof MORE {
    this.#prepare(commits);
    for (;;) {
      // Deletes and touches do not create the namespace.
      const id = commits.some(inserts)
        ? this.#namespaces.ensure(namespace)
        : (this.#namespaces.find(namespace) ?? NOWHERE);
      try {
        return this.#stepInto(id, commits, results);
      } catch (error) {
        if (!(error instanceof VanishedNamespace)) throw error;
        this.#namespaces.forget(namespace);
      }
    }
  }

  /** @throws VanishedNamespace if the number no longer stands for a namespace: nothing was done */
  #stepInto(id: number, commits: readonly Commit[], results: CommitResult[]): CommitResult[] | typeof MORE {
    const only = loneMutation(commits);
    if (only !== undefined) {
      results.push({ status: "ok", outcomes: [this.#alone(id, only)] });
      return results;
    }
    try {
      this.#transact(id, commits, results, (commit, now) => this.#apply(id, commit, now));
    } catch (error) {
      if (!isOwnFault(error)) throw error;
      this.#transact(id, commits, results, (commit, now) => this.#attempt(id, commit, now));
    }
    return results.length < commits.length ? MORE : results;
  }

  /** A single statement is a transaction of its own. */
  #alone(id: number, mutation: Exclude<Mutation, IncrementMutation>): Outcome {
    const now = this.#clock();
    let outcome: Outcome;
    try {
      outcome = this.#mutate(id, mutation, now);
    } catch (error) {
      if (refusesNull(error) && !this.#namespaces.isCurrent(id)) throw new VanishedNamespace();
      throw error;
    }
    const inserted = mutation.type === "set" && !isOver(mutation, now);
    const found = "existed" in outcome && outcome.existed;
    if (!inserted && !found) this.#assertCurrent(id);
    return outcome;
  }

  #assertCurrent(id: number): void {
    if (id !== NOWHERE && !this.#namespaces.isCurrent(id)) throw new VanishedNamespace();
  }

  /** Applies a slice in one transaction; if that fails, none of its commits has a result. */
  #transact(
    id: number,
    commits: readonly Commit[],
    results: CommitResult[],
    apply: (commit: Commit, now: number) => CommitResult,
  ): void {
    const done = results.length;
    try {
      this.#transactions.run(() => {
        this.#assertCurrent(id);
        this.#slice(commits, results, apply);
      });
    } catch (error) {
      results.length = done;
      throw error;
    }
  }

  /** Does what must not be rolled back with the commits. */
  #prepare(commits: readonly Commit[]): void {
    const { mutations, haveDeadlines } = extentOf(commits);
    this.#blocks.reserve(mutations);
    if (haveDeadlines) this.#deadlines.raise();
  }

  #slice(
    commits: readonly Commit[],
    results: CommitResult[],
    apply: (commit: Commit, now: number) => CommitResult,
  ): void {
    const now = this.#clock();
    const since = monotonicNow();
    for (let i = results.length; i < commits.length; i++) {
      results.push(apply(commits[i] as Commit, now));
      if (i % PER_LOOK === PER_LOOK - 1 && monotonicNow() - since > BATCH_MS) return;
    }
  }

  #apply(id: number, commit: Commit, now: number): CommitResult {
    const { checks, mutations } = commit;
    if (checks.length > 0) {
      const failed = this.#failed(id, checks, now);
      if (failed.length > 0) return { status: "conflict", failed };
    }
    const mayStop = mutations.length > 1 && mutations.some(({ type }) => type === "increment");
    if (!mayStop) return this.#mutateAll(id, mutations, now);
    return this.#transactions.part(
      () => this.#mutateAll(id, mutations, now),
      ({ status }) => status === "ok",
    );
  }

  /** As `apply`, but an error of this commit becomes its result. */
  #attempt(id: number, commit: Commit, now: number): CommitResult {
    try {
      return this.#transactions.part(
        () => this.#apply(id, commit, now),
        () => true,
      );
    } catch (error) {
      if (!isOwnFault(error)) throw error;
      return { status: "error", error };
    }
  }

  #failed(id: number, checks: readonly Check[], now: number): string[] {
    const failed = new Set<string>();
    for (const { key, revision } of checks) {
      const row = this.#statements.revision.get(id, key);
      const live = row !== undefined && !isExpired(row[1], () => now);
      if ((live ? this.#revisions.textOf(row[0]) : null) !== revision) failed.add(key);
    }
    return [...failed];
  }

  #mutateAll(id: number, mutations: readonly Mutation[], now: number): CommitResult {
    const outcomes: Outcome[] = [];
    for (const mutation of mutations) {
      const outcome =
        mutation.type === "increment" ? this.#increment(id, mutation, now) : this.#mutate(id, mutation, now);
      if (outcome === undefined) return { status: "not-a-number", key: mutation.key };
      outcomes.push(outcome);
    }
    return { status: "ok", outcomes };
  }

  /** Needs no transaction: if a second statement runs, the first has changed nothing. */
  #mutate(id: number, mutation: Exclude<Mutation, IncrementMutation>, now: number): Outcome {
    switch (mutation.type) {
      case "set":
        return { revision: this.#set(id, mutation, now) };
      case "delete":
        return { existed: this.#delete(id, mutation.key, now) };
      case "touch":
        return { existed: this.#touch(id, mutation, now) };
    }
  }

  #set(id: number, { key, payload, encoding, expiresAt, policy, user }: SetMutation, now: number): string {
    const statements = this.#statements;
    const revision = this.#blocks.nextRevision();
    if (isOver({ expiresAt }, now)) {
      statements.remove.run(id, key);
      return this.#blocks.textOf(revision);
    }
    const evictable = policy === "evict" ? 1 : 0;
    const deadline = typeof expiresAt === "number" ? expiresAt : null;
    const sum = checksum(id, key, encoding, payload, deadline);
    const metadataSum = writeChecksum(revision, now, user) + now + evictable * EVICTABLE;
    let written: Sqlite.RunResult;
    if (expiresAt === "keep") {
      const sums = [sum, metadataSum] as const;
      const rest = [evictable, encoding, ...sums, user, payload] as const;
      written = statements.setKeeping.run(id, key, revision, now, now, ...rest);
    } else if (encoding === "json" && evictable === 0 && user === undefined) {
      if (deadline === null)
        written = statements.setPlain.run(id, key, revision, now, now, sum, metadataSum, payload);
      else
        written = statements.setExpiring.run(
          id,
          key,
          revision,
          now,
          now,
          deadline,
          sum,
          metadataSum,
          payload,
        );
    } else {
      const rest = [evictable, encoding, sum, metadataSum, user, payload] as const;
      written = statements.set.run(id, key, revision, now, now, expiresAt, ...rest);
    }
    assertWritten(written);
    return this.#blocks.textOf(revision);
  }

  #delete(id: number, key: string, now: number): boolean {
    if (this.#statements.deleteLive.run(id, key, now).changes > 0) return true;
    // An expired row must go, too: it would reappear if the clock were set back.
    if (this.#deadlines.isRaised()) this.#statements.deleteExpired.run(id, key, now);
    return false;
  }

  #touch(id: number, { key, expiresAt, policy }: TouchMutation, now: number): boolean {
    const statements = this.#statements;
    if (typeof expiresAt === "number" && expiresAt <= now)
      return statements.deleteLive.run(id, key, now).changes > 0;
    const keepsDeadline = expiresAt === undefined ? 1 : 0;
    const evictable = policy === undefined ? null : policy === "evict" ? 1 : 0;
    return statements.touch.run(keepsDeadline, expiresAt, evictable, id, key, now).changes > 0;
  }

  /** `undefined`: the value is not a number. */
  #increment(id: number, mutation: IncrementMutation, now: number): Outcome | undefined {
    const { key, by } = mutation;
    const row = this.#statements.current.get(id, key);
    if (row !== undefined && checksum(id, key, row[2], row[3], row[1]) !== row[4]) throw CorruptEntry.fault();
    const live = row !== undefined && !isExpired(row[1], () => now);
    if (live && row[2] !== "json") return undefined;
    const value = addToNumber(live ? row[3] : undefined, by);
    if (value === undefined) return undefined;
    const payload = JSON.stringify(value);
    if (!live) {
      const { expiresAt, policy, user } = mutation;
      return {
        revision: this.#set(
          id,
          { type: "set", key, payload, encoding: "json", expiresAt, policy, user },
          now,
        ),
        value,
      };
    }
    const revision = this.#blocks.nextRevision();
    const sum = checksum(id, key, "json", payload, row[1]);
    const added = writeChecksum(revision, now, null) - writeChecksum(row[0], row[5], null);
    assertWritten(this.#statements.setNumber.run(payload, revision, now, sum, added, id, key));
    return { revision: this.#blocks.textOf(revision), value };
  }
}
