import type { Check, CommitResult, Outcome, StoredEntry } from "../contract/adapter.ts";
import { Refusal } from "../contract/errors.ts";
import { addToNumber } from "./add-to-number.ts";
import {
  isOver,
  type PlannedCommit,
  type PlannedIncrement,
  type PlannedMutation,
  type PlannedSet,
} from "./deadline.ts";

/** The stored content that an increment adds to. */
export type Content = Pick<StoredEntry, "payload" | "encoding">;

/** How numbers are stored if the adapter cannot add to them itself. */
export interface Numbers {
  /** The stored number; `undefined` for any other value. @throws Refusal if it cannot be decoded */
  read(content: Content): number | undefined;
  write(sum: number): Content;
}

/** A commit with every increment as a set of its sum, guarded by the revision it was computed from. */
export interface CountedCommit<C extends PlannedCommit> {
  readonly commit: C;
  /** By the place of the increment. */
  readonly sums: ReadonlyMap<number, number>;
}

/** The keys that a commit increments. */
export function countedKeys({ mutations }: PlannedCommit): string[] {
  return mutations.filter(({ type }) => type === "increment").map(({ key }) => key);
}

/**
 * Replaces the increments of a commit, by the rules of a backend that adds by itself: each increment sees the mutations
 * before it, and counts from 0 if their deadline has passed at `now`.
 * @param entries the stored entries of the keys that are incremented
 * @returns the commit's result if a number cannot be added to, and nothing may be applied
 */
export function countedCommit<C extends PlannedCommit>(
  commit: C,
  entries: ReadonlyMap<string, StoredEntry | undefined>,
  now: number,
  numbers: Numbers,
): CountedCommit<C> | CommitResult {
  try {
    return counted(commit, entries, now, numbers);
  } catch (error) {
    // A middleware that cannot read an entry leaves the reason as its payload.
    if (error instanceof Refusal) return { status: "error", error };
    throw error;
  }
}

function counted<C extends PlannedCommit>(
  commit: C,
  entries: ReadonlyMap<string, StoredEntry | undefined>,
  now: number,
  numbers: Numbers,
): CountedCommit<C> | CommitResult {
  const state = new Map<string, StoredEntry | State | undefined>(entries);
  const checks: Check[] = [...commit.checks];
  for (const [key, entry] of entries) checks.push({ key, revision: entry?.revision ?? null });
  const mutations: PlannedMutation[] = [];
  const sums = new Map<number, number>();
  for (const mutation of commit.mutations) {
    const before = state.get(mutation.key);
    if (mutation.type === "increment") {
      const number = before === undefined ? 0 : numbers.read(before);
      const sum = number === undefined ? undefined : addToNumber(number, mutation.by);
      if (sum === undefined) return { status: "not-a-number", key: mutation.key };
      const set = setOf(mutation, before, numbers.write(sum));
      sums.set(mutations.length, sum);
      mutations.push(set);
      state.set(mutation.key, set);
    } else {
      mutations.push(mutation);
      state.set(mutation.key, afterwards(mutation, before, now));
    }
  }
  // Only increments became sets; pending deadlines stay pending.
  return { commit: { checks, mutations } as unknown as C, sums };
}

/** Turns the answer to a counted commit into one to the original commit; `undefined` if a number changed meanwhile. */
export function asAsked(
  asked: PlannedCommit,
  sums: ReadonlyMap<number, number>,
  answer: CommitResult,
): CommitResult | undefined {
  if (answer.status === "conflict") {
    const own = new Set(asked.checks.map(({ key }) => key));
    const failed = answer.failed.filter((key) => own.has(key));
    return failed.length === 0 ? undefined : { status: "conflict", failed };
  }
  if (answer.status !== "ok") return answer;
  const outcomes = answer.outcomes.map((outcome, i): Outcome => {
    const value = sums.get(i);
    return value === undefined ? outcome : { ...outcome, value };
  });
  return { status: "ok", outcomes };
}

/** The state that later mutations of a commit see under a key. */
type State = Content & Pick<PlannedSet, "policy" | "user" | "expiresAt">;

function afterwards(
  mutation: Exclude<PlannedMutation, PlannedIncrement>,
  before: StoredEntry | State | undefined,
  now: number,
): StoredEntry | State | undefined {
  if (mutation.type === "delete") return undefined;
  if (mutation.type === "set") return isOver(mutation.expiresAt, now) ? undefined : mutation;
  if (before === undefined || isOver(mutation.expiresAt ?? undefined, now)) return undefined;
  const { payload, encoding, user } = before;
  const expiresAt = mutation.expiresAt === undefined ? deadlineOf(before) : (mutation.expiresAt ?? undefined);
  return { payload, encoding, user, expiresAt, policy: mutation.policy ?? before.policy };
}

/** The set that replaces an increment. */
function setOf(
  { key, expiresAt, policy, user }: PlannedIncrement,
  before: StoredEntry | State | undefined,
  content: Content,
): PlannedSet {
  return before === undefined
    ? { type: "set", key, ...content, expiresAt, policy, user }
    : {
        ...{ type: "set", key, ...content },
        ...{ expiresAt: deadlineOf(before), policy: before.policy, user: before.user },
      };
}

/**
 * A stored deadline is kept by `"keep"`, since only the backend knows it at the moment of writing. A deadline that the
 * commit itself gives is repeated: if it had passed by then, `"keep"` would find no live entry, and the sum would never
 * expire.
 */
function deadlineOf(before: StoredEntry | State): PlannedSet["expiresAt"] {
  return "revision" in before ? "keep" : before.expiresAt;
}
