import type { Commit, CommitResult, Mutation, Outcome, StoredEntry } from "../contract/adapter.ts";
import { addToNumber } from "./add-to-number.ts";

/** What `applied` needs of the adapter. */
export interface CommitGround {
  /** The adapter's own: whether a number is stored as itself or as its JSON text. */
  readonly form: "text" | "value";
  /** The live entry under a key. */
  find(key: string): StoredEntry | undefined;
  /** Milliseconds since 1970. */
  now(): number;
  /** A revision that no entry of the key had before. */
  revision(): string;
}

export interface AppliedCommit {
  readonly result: CommitResult;
  /** The entry to store under each changed key; `undefined` deletes it. Empty if the result is not `"ok"`. */
  readonly changes: ReadonlyMap<string, StoredEntry | undefined>;
}

/**
 * Evaluates a commit, for adapters that hold their entries as objects: the result of its checks and mutations, and the
 * entries to store. Nothing is changed here, so that a commit which fails half way has no effect.
 */
export function applied(commit: Commit, ground: CommitGround): AppliedCommit {
  const failed = commit.checks.filter(
    ({ key, revision }) => (ground.find(key)?.revision ?? null) !== revision,
  );
  if (failed.length > 0) {
    return refused({ status: "conflict", failed: [...new Set(failed.map(({ key }) => key))] });
  }
  const now = ground.now();
  const changes = new Map<string, StoredEntry | undefined>();
  const outcomes: Outcome[] = [];
  for (const mutation of commit.mutations) {
    const { key, type } = mutation;
    const before = changes.has(key) ? unlessExpired(changes.get(key), now) : ground.find(key);
    const sum = type === "increment" ? sumOf(before, mutation.by, ground.form) : 0;
    if (sum === undefined) return refused({ status: "not-a-number", key });
    const after = entryAfter(mutation, before, sum, now, ground);
    if (before !== undefined || after !== undefined) changes.set(key, after);
    const existed = before !== undefined;
    const revision = after?.revision ?? "";
    if (type === "set") outcomes.push({ revision });
    else outcomes.push(type === "increment" ? { revision, value: sum } : { existed });
  }
  return { result: { status: "ok", outcomes }, changes };
}

function refused(result: CommitResult): AppliedCommit {
  return { result, changes: new Map() };
}

function unlessExpired(entry: StoredEntry | undefined, now: number): StoredEntry | undefined {
  return entry?.expiresAt !== undefined && entry.expiresAt <= now ? undefined : entry;
}

/** An adapter of values stores a string as itself, not as the JSON of a number. */
function sumOf(before: StoredEntry | undefined, by: number, form: "text" | "value"): number | undefined {
  if (before === undefined) return addToNumber(undefined, by);
  const { payload, encoding } = before;
  const countable = encoding === "json" && typeof payload === (form === "text" ? "string" : "number");
  return countable ? addToNumber(payload, by) : undefined;
}

function entryAfter(
  mutation: Mutation,
  before: StoredEntry | undefined,
  sum: number,
  now: number,
  ground: CommitGround,
): StoredEntry | undefined {
  if (mutation.type === "delete") return undefined;
  if (mutation.type === "touch") {
    if (before === undefined) return undefined;
    const { key, payload, encoding, revision, createdAt, updatedAt, user, size } = before;
    const { expiresAt = before.expiresAt, policy = before.policy } = mutation;
    const kept = { key, payload, encoding, revision, createdAt, updatedAt, user, size };
    return { ...kept, expiresAt: expiresAt ?? undefined, policy };
  }
  const stamp = { revision: ground.revision(), createdAt: before?.createdAt ?? now, updatedAt: now };
  const made = { key: mutation.key, ...stamp, size: undefined };
  if (mutation.type === "increment") {
    const { expiresAt, policy, user } = before ?? mutation;
    const payload = ground.form === "text" ? String(sum) : sum;
    return { ...made, payload, encoding: "json", expiresAt, policy, user };
  }
  const { payload, encoding, policy, user } = mutation;
  const expiresAt = mutation.expiresAt === "keep" ? before?.expiresAt : mutation.expiresAt;
  return { ...made, payload, encoding, expiresAt, policy, user };
}
