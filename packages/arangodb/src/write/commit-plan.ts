import type {
  Check,
  Commit,
  CommitResult,
  IncrementMutation,
  Mutation,
  Namespace,
  Outcome,
  SessionRevisions,
  SetMutation,
} from "@kv/core";
import { type Contents, deadline, type Identity, identityOf, metadataOf } from "../stored/document.ts";
import { documentKey } from "../stored/keys.ts";
import { storedValue } from "../stored/stored-value.ts";

/** One key's part of a commit, as the statement's parameters hold it. */
interface Write {
  readonly op: "set" | "delete" | "increment" | "touch" | "hold";
  readonly doc: Identity;
  readonly by?: number;
  /** For several increments added at once: the least and the greatest intermediate sum. */
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  /** Whether a live entry keeps its deadline. */
  readonly keep?: boolean;
  readonly patch?: object;
  readonly unset?: readonly string[];
}

/** A commit as the statement's parameters hold it. */
export interface PlannedCommit {
  readonly checks: readonly { readonly id: string; readonly key: string; readonly revision: string | null }[];
  readonly several: boolean;
  readonly writes: readonly Write[];
}

/** The statement's answer for a commit. */
export type Answer = readonly [
  failed: readonly string[],
  /** 1: not a number; 2: the statement cannot decide. */
  fault: readonly [kind: 1 | 2, key: string] | null,
  writes: readonly (readonly [existed: boolean, base: number])[],
];

/** One commit of the statement, which may combine several successive ones on a single key. */
export interface Slot {
  /** Their places in the batch, in order. */
  readonly places: number[];
  readonly commits: Commit[];
  /** A revision for each of their mutations, in order. */
  readonly revisions: string[];
  /** Whether it is a single deletion, and depends on no other key. */
  readonly removes: boolean;
  /** Whether it sets one key unconditionally. */
  readonly sets: boolean;
}

/** `now`: a write whose deadline is not later creates no live entry for the next one. */
export interface PlanOptions {
  readonly now: number;
}

/**
 * The slots of a batch that one statement can apply: no commit concerns a key twice, and no two concern the same key. The
 * exception are successive sets, or increments by integers, of a single key, which are combined. `undefined`: the batch has
 * other commits.
 */
export function slotsOf(
  commits: readonly Commit[],
  revisions: SessionRevisions,
  { now }: PlanOptions,
): Slot[] | undefined {
  const slots: Slot[] = [];
  const byKey = new Map<string, Slot>();
  for (const [place, commit] of commits.entries()) {
    const keys = keysOf(commit);
    if (keys === undefined) return undefined;
    const [key = ""] = keys;
    const before = keys.length === 1 ? byKey.get(key) : undefined;
    if (before !== undefined) {
      if (!follows(before.commits.at(-1), commit, now)) return undefined;
      before.places.push(place);
      before.commits.push(commit);
      before.revisions.push(revisions.next());
      continue;
    }
    const [first] = commit.mutations;
    const slot: Slot = {
      places: [place],
      commits: [commit],
      revisions: commit.mutations.map(() => revisions.next()),
      removes: keys.length === 1 && first?.type === "delete",
      sets: commit.checks.length === 0 && keys.length === 1 && first?.type === "set",
    };
    for (const each of keys) {
      if (byKey.has(each)) return undefined;
      byKey.set(each, slot);
    }
    slots.push(slot);
  }
  return slots;
}

/** All keys that a commit concerns, those of its mutations first; `undefined`: it changes a key twice. */
function keysOf({ checks, mutations }: Commit): string[] | undefined {
  const keys = new Set<string>();
  for (const { key } of mutations) keys.add(key);
  if (keys.size < mutations.length) return undefined;
  for (const { key } of checks) keys.add(key);
  return [...keys];
}

/** Whether a commit can be combined with the one before it on the same key. */
function follows(before: Commit | undefined, commit: Commit, now: number): boolean {
  const [a] = before?.mutations ?? [];
  const [b] = commit.mutations;
  if (before === undefined || a === undefined || b === undefined) return false;
  if (before.checks.length > 0 || commit.checks.length > 0 || a.type !== b.type) return false;
  if (a.type !== "set" && a.type !== "increment") return false;
  // A set or increment that has expired on arrival leaves the key absent for the next commit.
  if (typeof a.expiresAt === "number" && a.expiresAt <= now) return false;
  return (
    a.type === "set" || (Number.isSafeInteger(a.by) && b.type === "increment" && Number.isSafeInteger(b.by))
  );
}

/** A slot as the statement's parameters hold it, and about how many bytes that takes. */
export function planned(
  namespace: Namespace,
  { commits, revisions }: Slot,
): { readonly commit: PlannedCommit; readonly size: number } {
  const [first] = commits;
  const { checks, mutations }: Commit = first ?? { checks: [], mutations: [] };
  let size = 0;
  const writes: Write[] = [];
  const add = (write: Write, bytes: number): void => {
    writes.push(write);
    size += bytes + 200;
  };
  if (commits.length > 1) addSeries(commits, revisions, namespace, add);
  else {
    for (const [i, mutation] of mutations.entries()) addOne(mutation, revisions[i] ?? "", namespace, add);
  }
  const changed = new Set(mutations.map(({ key }) => key));
  for (const { key } of checks) {
    if (changed.has(key)) continue;
    changed.add(key);
    // A commit also writes the keys that it depends on: otherwise two commits could each change a key that the other checks.
    add({ op: "hold", doc: identityOf(namespace, key) }, 2 * key.length);
  }
  const commit = {
    checks: checks.map((check) => plannedCheck(namespace, check)),
    several: writes.length > 1,
    writes,
  };
  return { commit, size };
}

export function plannedCheck(
  namespace: Namespace,
  { key, revision }: Check,
): PlannedCommit["checks"][number] {
  return { id: documentKey(namespace.id, key), key, revision };
}

type Add = (write: Write, bytes: number) => void;

function addSeries(
  commits: readonly Commit[],
  revisions: readonly string[],
  namespace: Namespace,
  add: Add,
): void {
  const mutations = commits.map((commit) => commit.mutations[0]) as (SetMutation | IncrementMutation)[];
  const revision = revisions.at(-1) ?? "";
  const [first] = mutations;
  if (first?.type === "increment") {
    let [sum, low, high] = [0, 0, 0];
    for (const mutation of mutations as IncrementMutation[]) {
      sum += mutation.by;
      low = Math.min(low, sum);
      high = Math.max(high, sum);
    }
    addOne({ ...first, by: sum }, revision, namespace, (write, bytes) => add({ ...write, low, high }, bytes));
    return;
  }
  const sets = mutations as SetMutation[];
  const last = sets.at(-1);
  // "keep" means the deadline of the set before it.
  const expiresAt = sets.findLast((set) => set.expiresAt !== "keep");
  if (last === undefined) return;
  addOne(
    { ...last, expiresAt: expiresAt === undefined ? "keep" : expiresAt.expiresAt },
    revision,
    namespace,
    add,
  );
}

function addOne(mutation: Mutation, revision: string, namespace: Namespace, add: Add): void {
  const identity = identityOf(namespace, mutation.key);
  const bytes = 3 * mutation.key.length;
  switch (mutation.type) {
    case "delete":
      add({ op: "delete", doc: identity }, bytes);
      return;
    case "touch":
      add({ op: "touch", doc: identity, ...touched(mutation) }, bytes);
      return;
    case "increment": {
      const { by, expiresAt, policy, user } = mutation;
      const doc = {
        ...identity,
        encoding: "json",
        revision,
        policy,
        ...metadataOf(user),
        ...(expiresAt === undefined ? {} : deadline(expiresAt)),
      };
      add({ op: "increment", doc, by }, bytes);
      return;
    }
    case "set": {
      const { contents, size } = contentsOf(mutation, revision);
      add(
        { op: "set", doc: { ...identity, ...contents }, keep: mutation.expiresAt === "keep" },
        bytes + size,
      );
    }
  }
}

/** The attributes that a set writes, as far as they are known before the statement runs. */
export function contentsOf(
  { payload, encoding, expiresAt, policy, user }: Omit<SetMutation, "type" | "key">,
  revision: string,
): { readonly contents: Contents; readonly size: number } {
  const { stored, size } = storedValue(payload, encoding);
  const contents = {
    ...stored,
    encoding,
    revision,
    policy,
    ...metadataOf(user),
    ...(typeof expiresAt === "number" ? deadline(expiresAt) : {}),
  };
  return { contents, size: size + (user?.length ?? 0) };
}

function touched({
  expiresAt,
  policy,
}: Extract<Mutation, { readonly type: "touch" }>): Pick<Write, "patch" | "unset"> {
  const patch = {
    ...(policy === undefined ? {} : { policy }),
    ...(typeof expiresAt === "number" ? deadline(expiresAt) : {}),
  };
  return { patch, unset: expiresAt === null ? ["expiresAt", "reclaimAt"] : [] };
}

/** The answer for an unconditional commit that was applied. */
export const APPLIED: Answer = [[], null, [[true, 0]]];

/** The result of each commit of a slot, in order; `undefined`: the statement could not decide, and did not apply them. */
export function resultsOf(
  { commits, revisions }: Slot,
  [failed, fault, writes]: Answer,
): CommitResult[] | undefined {
  if (failed.length > 0) return commits.map(() => ({ status: "conflict", failed: [...new Set(failed)] }));
  if (fault !== null) {
    const [kind, key] = fault;
    return kind === 2 ? undefined : commits.map(() => ({ status: "not-a-number", key }));
  }
  if (commits.length === 1) {
    const outcomes = (commits[0]?.mutations ?? []).map((mutation, i) =>
      outcomeOf(mutation, revisions[i] ?? "", writes[i]?.[0] ?? false, writes[i]?.[1] ?? 0),
    );
    return [{ status: "ok", outcomes }];
  }
  let base = writes[0]?.[1] ?? 0;
  return commits.map(({ mutations: [mutation] }, i) => {
    const outcome = outcomeOf(mutation as Mutation, revisions[i] ?? "", true, base);
    base = outcome.value ?? base;
    return { status: "ok", outcomes: [outcome] };
  });
}

function outcomeOf(mutation: Mutation, revision: string, existed: boolean, base: number): Outcome {
  if (mutation.type === "set") return { revision };
  // Adding 0 turns -0 into 0.
  if (mutation.type === "increment") return { revision, value: base + mutation.by + 0 };
  return { existed };
}
