import type { Check, CommitResult, MaybePromise, StoredEntry } from "./adapter.ts";
import { isPromise } from "./any-realm.ts";
import { notANumber } from "./commit-result.ts";
import type { PlannedCommit, PlannedIncrement, PlannedMutation, PlannedSet } from "./deadline.ts";
import type { Direct } from "./lane.ts";
import { addToNumber } from "./number.ts";
import type { ViewContext } from "./view-context.ts";

/**
 * A commit that may hold increments. An adapter adds to numbers that were stored as JSON; numbers of other codecs are
 * read, added to and written back here, checked against whoever else does the same.
 */
export function commitCounting(
  context: ViewContext,
  commit: PlannedCommit,
  signal: AbortSignal | undefined,
): MaybePromise<CommitResult> {
  const counts = commit.mutations.some((mutation) => mutation.type === "increment");
  if (counts && !context.codecs.countsNatively) return byHand(context, commit);
  const result = context.lane.commitOne(commit, signal);
  const orByHand = (committed: CommitResult) =>
    committed.status === "not-a-number"
      ? context.connection.continue(() => byHand(context, commit, committed))
      : committed;
  return isPromise(result) ? result.then(orByHand) : orByHand(result);
}

type NotANumber = Extract<CommitResult, { status: "not-a-number" }>;

/** `refused` is the adapter's own answer, if it was asked. */
function byHand(
  context: ViewContext,
  commit: PlannedCommit,
  refused?: NotANumber,
): MaybePromise<CommitResult> {
  const keys = [...new Set([...commit.checks, ...commit.mutations].map(({ key }) => key))];
  return context.lane.section(keys, async (direct) => {
    if (refused !== undefined) {
      // A store may hold numbers that it wrote with an earlier codec. What the adapter can read itself, it has read.
      const [entry] = await direct.read([refused.key]);
      if (entry === undefined || entry.encoding === "json" || entry.encoding === "bytes")
        throw notANumber(refused.key);
    }
    for (;;) {
      const sums = new Map<number, number>();
      const added = await withoutIncrements(context, commit, direct, sums);
      const result = await direct.commit(added);
      if (result.status === "conflict") {
        // Only the caller's own checks may fail the commit; one that was added here means to count again.
        const failed = result.failed.filter((key) => commit.checks.some((check) => check.key === key));
        if (failed.length > 0) return { status: "conflict", failed };
        continue;
      }
      if (result.status !== "ok") return result;
      const outcomes = result.outcomes.map((outcome, i) => {
        const value = sums.get(i);
        return value === undefined ? outcome : { ...outcome, value };
      });
      return { status: "ok", outcomes };
    }
  });
}

/** The commit with every increment as a set of its sum, guarded by the revision it was computed from. */
async function withoutIncrements(
  context: ViewContext,
  commit: PlannedCommit,
  direct: Direct,
  sums: Map<number, number>,
): Promise<PlannedCommit> {
  const keys = [
    ...new Set(commit.mutations.filter(({ type }) => type === "increment").map(({ key }) => key)),
  ];
  const entries = await direct.read(keys);
  const checks: Check[] = [...commit.checks];
  const state = new Map<string, PlannedSet | StoredEntry | undefined>();
  for (const [i, key] of keys.entries()) {
    state.set(key, entries[i]);
    checks.push({ key, revision: entries[i]?.revision ?? null });
  }
  const mutations = commit.mutations.map((mutation, i): PlannedMutation => {
    if (mutation.type === "set") state.set(mutation.key, mutation);
    if (mutation.type === "delete") state.set(mutation.key, undefined);
    if (mutation.type !== "increment") return mutation;
    const { set, sum } = counted(context, mutation, state.get(mutation.key));
    sums.set(i, sum);
    state.set(mutation.key, set);
    return set;
  });
  return { checks, mutations };
}

/** @throws Refusal `KV_INVALID_VALUE` where there is no number to add to */
function counted(
  context: ViewContext,
  { key, by, ...initial }: PlannedIncrement,
  before: PlannedSet | StoredEntry | undefined,
): { set: PlannedSet; sum: number } {
  const value = before === undefined ? undefined : context.codecs.decodeNumber(before);
  const sum = before !== undefined && value === undefined ? undefined : addToNumber(value, by);
  if (sum === undefined) throw notANumber(key);
  const { policy, user } = before ?? initial;
  // A deadline that the store knows is kept by the store, which alone knows it at the moment of writing.
  const expiresAt =
    before === undefined ? initial.expiresAt : "revision" in before ? "keep" : before.expiresAt;
  return {
    set: {
      type: "set",
      key,
      payload: context.codecs.payloadOf(sum),
      encoding: context.codecs.encodingOf(sum),
      expiresAt,
      policy,
      user,
    },
    sum,
  };
}
