import type { Mutation, StoredEntry } from "@kv/core";
import { headerOf } from "../near/carried-entry.ts";
import { asWritten } from "./far-entries.ts";

/** The entry as one that exists since then. */
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

/** When the entry that the far tier has came to be, if there is one, and it can be read. */
export function createdThere(there: StoredEntry | undefined): number | undefined {
  return there === undefined ? undefined : readable(() => asWritten(there).createdAt);
}

/** The revision of an altered entry is `undefined`: it is overwritten, whatever it was. */
export function stateOf(there: StoredEntry | undefined): {
  readonly revision: string | null | undefined;
  readonly createdAt: number | undefined;
} {
  if (there === undefined) return { revision: null, createdAt: undefined };
  return { revision: readable(() => there.revision), createdAt: createdThere(there) };
}

/** Whether the far tier has the entry already. */
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

/** An altered entry throws where its fields are asked for. */
function readable<T>(field: () => T): T | undefined {
  try {
    return field();
  } catch {
    return undefined;
  }
}
