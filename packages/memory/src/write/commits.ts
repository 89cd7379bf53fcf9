import { type Check, type Commit, type CommitResult, type Mutation, type Outcome, Refusal } from "@kv/core";
import type { Contents } from "../contents.ts";
import type { MemoryEntry } from "../stored/entry.ts";
import type { Cell, Keyspace } from "../stored/keyspace.ts";
import { type Mutations, NOT_A_NUMBER, outcomeOf } from "./mutations.ts";

/** A change to one key, to be made once no mutation of the commit can fail any more. */
interface Step {
  readonly key: string;
  readonly entry: MemoryEntry | undefined;
  readonly change: "set" | "touch" | "delete";
}

/** Applies one commit as a whole or not at all. */
export function applyCommit(
  contents: Contents,
  mutations: Mutations,
  keyspace: Keyspace,
  commit: Commit,
  now: number,
): CommitResult {
  if (commit.checks.length > 0) {
    const failed = failedChecks(contents, keyspace, commit.checks, now);
    if (failed.length > 0) return { status: "conflict", failed };
  }
  const first = commit.mutations[0];
  if (first === undefined) return { status: "ok", outcomes: [] };
  return commit.mutations.length === 1
    ? applyOne(contents, mutations, keyspace, first, now)
    : applyAll(contents, mutations, keyspace, commit.mutations, now);
}

function failedChecks(
  contents: Contents,
  keyspace: Keyspace,
  checks: readonly Check[],
  now: number,
): string[] {
  const failed = new Set<string>();
  for (const { key, revision } of checks) {
    const cell = contents.live(keyspace, key, now);
    const actual = cell === undefined ? null : cell.entry.revision;
    if (actual !== revision) failed.add(key);
  }
  return [...failed];
}

/** Most commits are a single mutation, which needs no plan. */
function applyOne(
  contents: Contents,
  mutations: Mutations,
  keyspace: Keyspace,
  mutation: Mutation,
  now: number,
): CommitResult {
  const cell = contents.live(keyspace, mutation.key, now);
  const before = cell?.entry;
  const after = mutations.apply(before, mutation, now);
  if (after === NOT_A_NUMBER) return { status: "not-a-number", key: mutation.key };
  if (after !== undefined && contents.recency?.isTooHeavy(after)) return tooHeavy(contents, mutation.key);
  store(contents, keyspace, cell, after, changeOf(mutation), now);
  contents.evict(now);
  return { status: "ok", outcomes: [outcomeOf(mutation, before, after)] };
}

function applyAll(
  contents: Contents,
  mutations: Mutations,
  keyspace: Keyspace,
  all: readonly Mutation[],
  now: number,
): CommitResult {
  /** The state of the keys as the mutations planned so far will have left them. */
  const planned = new Map<string, MemoryEntry | undefined>();
  const steps: Step[] = [];
  const outcomes: Outcome[] = [];
  for (const mutation of all) {
    const { key } = mutation;
    const before = planned.has(key) ? planned.get(key) : contents.live(keyspace, key, now)?.entry;
    const after = mutations.apply(before, mutation, now);
    if (after === NOT_A_NUMBER) return { status: "not-a-number", key };
    if (after !== undefined && contents.recency?.isTooHeavy(after)) return tooHeavy(contents, key);
    planned.set(key, after?.isDue(now) ? undefined : after);
    steps.push({ key, entry: after, change: changeOf(mutation) });
    outcomes.push(outcomeOf(mutation, before, after));
  }
  for (const { key, entry, change } of steps)
    store(contents, keyspace, keyspace.get(key), entry, change, now);
  contents.evict(now);
  return { status: "ok", outcomes };
}

function changeOf(mutation: Mutation): "set" | "touch" | "delete" {
  return mutation.type === "increment" ? "set" : mutation.type;
}

/** Stores an entry under a key, or removes it. `cell`: the key's, if it exists. */
function store(
  contents: Contents,
  keyspace: Keyspace,
  cell: Cell | undefined,
  entry: MemoryEntry | undefined,
  change: "set" | "touch" | "delete",
  now: number,
): void {
  if (entry !== undefined && change !== "delete" && !entry.isDue(now))
    contents.put(keyspace, cell, entry, change);
  else if (cell !== undefined) contents.remove(cell, entry === undefined ? "delete" : "expire");
}

function tooHeavy(contents: Contents, key: string): CommitResult {
  const limit = contents.recency?.limits.maxBytes;
  const message = `the entry alone exceeds maxBytes (${limit}); store a smaller value, or raise maxBytes`;
  return { status: "error", error: new Refusal("KV_CAPACITY", message, { key }) };
}
