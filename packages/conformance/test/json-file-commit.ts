import {
  addToNumber,
  type Commit,
  type CommitResult,
  type Mutation,
  type Outcome,
  type StoredEntry,
} from "@kv/core";
import { type JsonFile, type Row, rowId } from "./json-file.ts";

/** Absent from its deadline on. */
export function isLive(entry: Row | undefined, now: number): entry is Row {
  return entry !== undefined && (entry.expiresAt === undefined || entry.expiresAt > now);
}

/** Applies a commit to rows that are thrown away where it fails: what it did not finish, nobody has seen. */
export function apply(
  rows: Map<string, Row>,
  id: string,
  commit: Commit,
  file: JsonFile,
  now: number,
): CommitResult {
  function find(key: string): Row | undefined {
    const row = rows.get(rowId(id, key));
    return isLive(row, now) ? row : undefined;
  }

  const failed = commit.checks.filter(({ key, revision }) => (find(key)?.revision ?? null) !== revision);
  if (failed.length > 0) return { status: "conflict", failed: [...new Set(failed.map(({ key }) => key))] };
  const outcomes: Outcome[] = [];
  for (const mutation of commit.mutations) {
    const { key, type } = mutation;
    const old = find(key);
    const entry = changed(old, mutation, file, now);
    if (entry === "not-a-number") return { status: entry, key };
    if (entry === undefined) rows.delete(rowId(id, key));
    else rows.set(rowId(id, key), { ...entry, namespace: id });
    if (type === "delete" || type === "touch") outcomes.push({ existed: old !== undefined });
    else if (type === "set") outcomes.push({ revision: entry?.revision ?? "" });
    else outcomes.push({ revision: entry?.revision ?? "", value: Number(entry?.payload) });
  }
  return { status: "ok", outcomes };
}

/** The entry after a mutation; `undefined`: there is none. */
function changed(
  old: StoredEntry | undefined,
  mutation: Mutation,
  file: JsonFile,
  now: number,
): StoredEntry | undefined | "not-a-number" {
  const { key, type } = mutation;
  if (type === "delete") return undefined;
  if (type === "touch") {
    const { expiresAt = old?.expiresAt, policy } = mutation;
    return old && { ...old, expiresAt: expiresAt ?? undefined, policy: policy ?? old.policy };
  }
  const times = { createdAt: old?.createdAt ?? now, updatedAt: now };
  const made = { key, revision: file.nextRevision(), ...times, size: undefined };
  if (type === "set") {
    const { payload, encoding, policy, user } = mutation;
    const expiresAt = mutation.expiresAt === "keep" ? old?.expiresAt : mutation.expiresAt;
    return { ...made, payload, encoding, policy, user, expiresAt };
  }
  // Of the form "value" a text is a value, too, and no number's JSON.
  const countable = old === undefined || (old.encoding === "json" && typeof old.payload === "number");
  const sum = countable ? addToNumber(old?.payload, mutation.by) : undefined;
  if (sum === undefined) return "not-a-number";
  const { expiresAt, policy, user } = old ?? mutation;
  return { ...made, payload: sum, encoding: "json", policy, user, expiresAt };
}
