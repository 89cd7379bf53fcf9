/*
 * The contract for entries under a few keys, without deadlines. A value is a number, and every write should write a
 * different one, so that a read shows which write it saw.
 *
 * Some writes do not return their revision (an increment, or a write of unknown outcome). The model learns such a
 * revision from the first read of the entry: until then it is `undefined`, and equal to no revision that a client has.
 * A history must therefore contain every read from which a client took a revision.
 */

import type { Model, Operation } from "./model.ts";

/** An entry; the revision is `undefined` until a client has received it. */
export interface EntryState {
  readonly value: number;
  readonly revision: string | undefined;
}

/** The live entries by key. Never changed: every step makes a new map. */
export type Entries = ReadonlyMap<string, EntryState>;

/** What a commit or a transaction does to a key. */
export type Write =
  | { readonly write: "set"; readonly key: string; readonly value: number }
  | { readonly write: "increment"; readonly key: string; readonly by: number }
  | { readonly write: "delete"; readonly key: string };

/** What was called, by the name of the store's method; `transaction` is its last attempt. */
export type EntryInput =
  | { readonly do: "get"; readonly key: string }
  | { readonly do: "set"; readonly key: string; readonly value: number }
  | { readonly do: "create"; readonly key: string; readonly value: number }
  | { readonly do: "replace"; readonly key: string; readonly value: number; readonly revision: string }
  | { readonly do: "increment"; readonly key: string; readonly by: number }
  | { readonly do: "delete"; readonly key: string; readonly revision?: string }
  | { readonly do: "commit"; readonly checks: readonly Check[]; readonly writes: readonly Write[] }
  /** Its writes apply if every read still holds. */
  | { readonly do: "transaction"; readonly reads: readonly Read[]; readonly writes: readonly Write[] };

/** What a commit checks: a revision, or `null` for absence. */
export interface Check {
  readonly key: string;
  readonly revision: string | null;
}

/** What a transaction read: a value, or `null` for absence. */
export interface Read {
  readonly key: string;
  readonly value: number | null;
}

/** What the call returned. */
export type EntryOutput =
  /** A get: `null` for absence; no revision if the caller did not ask for it. */
  | { readonly got: { readonly value: number; readonly revision?: string } | null }
  /** The new revision, or `null` if another write came first. */
  | { readonly revision: string | null }
  | { readonly number: number }
  | { readonly existed: boolean }
  | { readonly revisions: readonly (readonly [key: string, revision: string])[] }
  /** A commit that was not made: the keys whose check failed. */
  | { readonly failed: readonly string[] }
  | { readonly committed: true };

/** An operation on the entries of a store. */
export type EntryOperation = Operation<EntryInput, EntryOutput>;

const EMPTY: Entries = new Map();

/** Entries that are all absent at the beginning. */
export const entriesModel: Model<Entries, EntryInput, EntryOutput> = {
  initial: EMPTY,
  step,
  fingerprint: (entries) =>
    JSON.stringify(
      [...entries]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, { value, revision }]) => [key, value, revision ?? null]),
    ),
  describe: (input) => JSON.stringify(input),
};

/** All keys that an operation may look at or change. */
export function keysOf(input: EntryInput): readonly string[] {
  switch (input.do) {
    case "commit":
      return [...input.checks, ...input.writes].map(({ key }) => key);
    case "transaction":
      return [...input.reads, ...input.writes].map(({ key }) => key);
    default:
      return [input.key];
  }
}

function step(entries: Entries, input: EntryInput, output: EntryOutput | undefined): Entries | undefined {
  switch (input.do) {
    case "get":
      return output === undefined ? entries : got(entries, input.key, output);
    case "set":
      return written(entries, input.key, input.value, true, output);
    case "create":
      return written(entries, input.key, input.value, !entries.has(input.key), output);
    case "replace": {
      const holds = entries.get(input.key)?.revision === input.revision;
      return written(entries, input.key, input.value, holds, output);
    }
    case "increment": {
      const value = (entries.get(input.key)?.value ?? 0) + input.by;
      if (output !== undefined && !("number" in output && output.number === value)) return undefined;
      return put(entries, input.key, { value, revision: undefined });
    }
    case "delete": {
      const entry = entries.get(input.key);
      const exists =
        entry !== undefined && (input.revision === undefined || entry.revision === input.revision);
      if (output !== undefined && !("existed" in output && output.existed === exists)) return undefined;
      return exists ? without(entries, input.key) : entries;
    }
    case "commit": {
      const failed = input.checks
        .filter(({ key, revision }) => !checkHolds(entries.get(key), revision))
        .map(({ key }) => key);
      if (failed.length === 0) return committed(entries, input.writes, output);
      if (output === undefined) return entries;
      return "failed" in output && sameKeys(output.failed, failed) ? entries : undefined;
    }
    case "transaction": {
      const holds = input.reads.every(({ key, value }) => (entries.get(key)?.value ?? null) === value);
      if (holds) return committed(entries, input.writes, output);
      return output === undefined ? entries : undefined;
    }
  }
}

function got(entries: Entries, key: string, output: EntryOutput): Entries | undefined {
  if (!("got" in output)) return undefined;
  const entry = entries.get(key);
  const { got: found } = output;
  if (entry === undefined || found === null)
    return entry === undefined && found === null ? entries : undefined;
  const { value, revision } = found;
  if (entry.value !== value) return undefined;
  if (revision === undefined || entry.revision === revision) return entries;
  return entry.revision === undefined ? put(entries, key, { value, revision }) : undefined;
}

function written(
  entries: Entries,
  key: string,
  value: number,
  applies: boolean,
  output: EntryOutput | undefined,
): Entries | undefined {
  if (output !== undefined && !("revision" in output && (output.revision !== null) === applies))
    return undefined;
  if (!applies) return entries;
  const revision = output !== undefined && "revision" in output ? (output.revision ?? undefined) : undefined;
  return put(entries, key, { value, revision });
}

function checkHolds(entry: EntryState | undefined, revision: string | null): boolean {
  return revision === null ? entry === undefined : entry !== undefined && entry.revision === revision;
}

function committed(
  entries: Entries,
  writes: readonly Write[],
  output: EntryOutput | undefined,
): Entries | undefined {
  const revisions = new Map(output !== undefined && "revisions" in output ? output.revisions : []);
  if (output !== undefined && !("revisions" in output || "committed" in output)) return undefined;
  const after = new Map(entries);
  for (const write of writes) {
    if (write.write === "delete") after.delete(write.key);
    else {
      const value = write.write === "set" ? write.value : (after.get(write.key)?.value ?? 0) + write.by;
      after.set(write.key, { value, revision: revisions.get(write.key) });
    }
  }
  return after;
}

function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  return new Set(a).size === new Set(b).size && a.every((key) => b.includes(key));
}

function put(entries: Entries, key: string, entry: EntryState): Entries {
  return new Map(entries).set(key, entry);
}

function without(entries: Entries, key: string): Entries {
  const after = new Map(entries);
  after.delete(key);
  return after;
}
