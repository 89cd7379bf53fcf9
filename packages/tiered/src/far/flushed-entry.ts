import type { Mutation, StoredEntry } from "@kv/core";
import { headerOf } from "../near/carried-entry.ts";
import { asWritten } from "./far-entries.ts";

/** A copy of the entry with this `createdAt`. */
export function since(entry: StoredEntry, createdAt: number): StoredEntry {
  return {
    key: entry.key,
    payload: entry.payload,
    encoding: entry.encoding,
    revision: entry.revision,
    createdAt,
    updatedAt: entry.updatedAt,
    expiresAt: entry.expiresAt,
    policy: entry.policy,
    user: entry.user,
    size: entry.size,
  };
}

/** The `createdAt` of the far tier's entry, if there is one that can be read. */
export function createdThere(there: StoredEntry | undefined): number | undefined {
  return there === undefined ? undefined : readable(() => asWritten(there).createdAt);
}

/** The far tier's state of a key. A corrupt entry has the revision `undefined`: it is overwritten without a check. */
export function stateOf(there: StoredEntry | undefined): {
  readonly revision: string | null | undefined;
  readonly createdAt: number | undefined;
} {
  if (there === undefined) return { revision: null, createdAt: undefined };
  return { revision: readable(() => there.revision), createdAt: createdThere(there) };
}

/** Whether the far tier already has the entry. */
export function isThere(entry: StoredEntry | undefined, there: StoredEntry | undefined): boolean {
  if (entry === undefined || there === undefined) return entry === there;
  return (
    readable(() => asWritten(there).revision) === entry.revision &&
    there.expiresAt === entry.expiresAt &&
    there.policy === entry.policy
  );
}

export function setOf(entry: StoredEntry): Mutation {
  const { key, payload, encoding, expiresAt, policy } = entry;
  return { type: "set", key, payload, encoding, expiresAt, policy, user: headerOf(entry) };
}

/** The field, or `undefined` for a corrupt entry, which throws when its fields are read. */
function readable<T>(field: () => T): T | undefined {
  try {
    return field();
  } catch {
    return undefined;
  }
}
