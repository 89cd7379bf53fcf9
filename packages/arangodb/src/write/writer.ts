import type { Commit, CommitResult, Mutation, Namespace } from "@kv/core";
import { isError } from "@kv/core";
import { ArangoFailure, errorCode } from "../errors.ts";
import { namespacePart } from "../stored/document.ts";
import { storedValue } from "../stored/stored-value.ts";
import {
  type Answer,
  APPLIED,
  type PlannedCommit,
  planned,
  resultsOf,
  type Slot,
  slotsOf,
} from "./commit-plan.ts";
import { commitInTwoSteps } from "./two-step-commit.ts";
import type { WriteContext } from "./write-context.ts";

/** About how many bytes a statement's parameters have. The server accepts more; this bounds the memory at both ends. */
const STATEMENT_BYTES = 8 * 1024 * 1024;

type Applied = readonly [now: number, left: number, answers: readonly Answer[]];

/** Slots that go into one statement. */
interface Part {
  readonly slots: Slot[];
  readonly commits: PlannedCommit[];
  size: number;
}

/**
 * Turns a batch of commits into one statement, unless commits on the same key depend on their order. Such a batch takes two
 * requests: the first reads the documents, this process computes the outcome, and the second writes it.
 */
export class Writer {
  readonly #context: WriteContext;

  constructor(context: WriteContext) {
    this.#context = context;
  }

  async commit(namespace: Namespace, commits: readonly Commit[]): Promise<CommitResult[]> {
    if (commits.length === 0) return [];
    const { revisions, clock } = this.#context;
    const slots = slotsOf(commits, revisions, { now: clock() });
    if (slots === undefined) return this.#inTurn(namespace, commits);
    const results = new Array<CommitResult>(commits.length);
    for (const part of this.#parts(namespace, slots)) {
      try {
        await this.#apply(namespace, part, results);
      } catch (error) {
        // If this was the only part, the whole call rejects; otherwise each commit reports its own error.
        if (part.slots.length === slots.length) throw error;
        for (const slot of part.slots) tellEach(slot, results, error);
        for (const slot of slots) tellEach(slot, results, unsent(error));
        break;
      }
    }
    return results;
  }

  /** Commits in two steps, with as many commits at once as fit into one statement. */
  async #inTurn(namespace: Namespace, commits: readonly Commit[]): Promise<CommitResult[]> {
    const results: CommitResult[] = [];
    for (const some of portions(commits)) {
      try {
        results.push(...(await commitInTwoSteps(this.#context, namespace, some)));
      } catch (error) {
        if (some.length === commits.length) throw error;
        for (const _ of some) results.push({ status: "error", error });
        while (results.length < commits.length) results.push({ status: "error", error: unsent(error) });
        break;
      }
    }
    return results;
  }

  #parts(namespace: Namespace, slots: readonly Slot[]): Part[] {
    const parts: Part[] = [];
    let part: Part | undefined;
    for (const slot of slots) {
      const { commit, size } = planned(namespace, slot);
      if (part === undefined || part.size + size > STATEMENT_BYTES) {
        part = { slots: [], commits: [], size: 0 };
        parts.push(part);
      }
      part.slots.push(slot);
      part.commits.push(commit);
      part.size += size;
    }
    return parts;
  }

  async #apply(namespace: Namespace, part: Part, results: CommitResult[]): Promise<void> {
    let answers: readonly Answer[];
    try {
      answers = await this.#run(namespace, part);
    } catch (error) {
      if (part.slots.length === 1 || !concernsOne(error)) throw error;
      await this.#applyEach(namespace, part, results);
      return;
    }
    for (const [i, slot] of part.slots.entries()) {
      const answer = answers[i];
      if (answer === undefined)
        throw new TypeError("the server returned fewer answers than there were commits");
      const own = resultsOf(slot, answer) ?? (await commitInTwoSteps(this.#context, namespace, slot.commits));
      for (const [at, place] of slot.places.entries()) results[place] = own[at] as CommitResult;
    }
  }

  /** Applies each commit alone after a refusal that may concern only one of them. */
  async #applyEach(namespace: Namespace, part: Part, results: CommitResult[]): Promise<void> {
    for (const [i, slot] of part.slots.entries()) {
      const commit = part.commits[i] as PlannedCommit;
      await this.#apply(namespace, { slots: [slot], commits: [commit], size: 0 }, results).catch(
        (error: unknown) => {
          if (!concernsOne(error)) throw error;
          for (const place of slot.places) results[place] = { status: "error", error };
        },
      );
    }
  }

  async #run(namespace: Namespace, { slots, commits }: Part): Promise<readonly Answer[]> {
    const { layout, lanes, queries } = this.#context;
    const common = {
      "@entries": layout.entries,
      "@changes": layout.changes,
      "@system": layout.system,
      namespace: namespace.id,
    };
    if (slots.every(({ sets }) => sets)) {
      const sets = commits.flatMap(({ writes }) => writes.map(({ doc, keep }) => ({ doc, keep })));
      await lanes.write(queries.set, namespace, { ...common, part: namespacePart(namespace), sets });
      return slots.map(() => APPLIED);
    }
    if (slots.every(({ removes }) => removes)) {
      const deletions = commits.flatMap(({ checks, writes }) =>
        writes.map(({ doc: { _key: id, key } }) => ({ id, key, checks })),
      );
      const [, , answers] = await lanes.write<Applied>(queries.remove, namespace, {
        ...common,
        commits: deletions,
      });
      return answers;
    }
    const [, , answers] = await lanes.write<Applied>(queries.put, namespace, {
      ...common,
      part: namespacePart(namespace),
      commits,
    });
    return answers;
  }
}

/** Commits in order, grouped so that each group fits into one statement, but holds at least one commit. */
function portions(commits: readonly Commit[]): Commit[][] {
  const all: Commit[][] = [];
  let left = 0;
  for (const commit of commits) {
    const size = commit.mutations.reduce((bytes, mutation) => bytes + sizeOf(mutation), 0);
    left -= size;
    const last = all.at(-1);
    if (last !== undefined && left >= 0) last.push(commit);
    else {
      all.push([commit]);
      left = STATEMENT_BYTES - size;
    }
  }
  return all;
}

/** About how many bytes a mutation takes in a statement. */
function sizeOf(mutation: Mutation): number {
  const around = 3 * mutation.key.length + 400;
  return mutation.type === "set" ? around + storedValue(mutation.payload, mutation.encoding).size : around;
}

/** Reports an error for each commit of a slot that has no result yet. */
function tellEach({ places }: Slot, results: CommitResult[], error: unknown): void {
  for (const place of places) results[place] ??= { status: "error", error };
}

/** The error of commits after a failed one: they were not sent, whatever the outcome of that one. */
function unsent(error: unknown): ArangoFailure {
  const reason = isError(error) ? error.message : String(error);
  return new ArangoFailure(`not sent, because an earlier part of the batch failed: ${reason}`, "not sent");
}

/** Whether a refusal may be due to one commit of several, such as a document that is too large. */
function concernsOne(error: unknown): boolean {
  if (!(error instanceof ArangoFailure) || error.outcome !== "refused") return false;
  const code = errorCode(error);
  return code === undefined || code === "KV_CAPACITY";
}
