import {
  addToNumber,
  type IncrementMutation,
  type Mutation,
  type Outcome,
  type SetMutation,
  type TouchMutation,
} from "@kv/core";
import { type Content, EPOCH, MemoryEntry, SizedEntry } from "../stored/entry.ts";
import { revisionText } from "../stored/revision.ts";

/** Returned for an increment of a value that is not a number. */
export const NOT_A_NUMBER: unique symbol = Symbol("not a number");

/** Computes the entries that mutations result in. Changes nothing: the commit applies the result. */
export class Mutations {
  /** Whether entries must know the size of their payload. */
  readonly #sized: boolean;
  #version = 0;

  constructor(sized: boolean) {
    this.#sized = sized;
  }

  /** The result of a mutation on a key's live entry (`undefined`: none). It may have expired already. */
  apply(
    before: MemoryEntry | undefined,
    mutation: Mutation,
    now: number,
  ): MemoryEntry | undefined | typeof NOT_A_NUMBER {
    switch (mutation.type) {
      case "set":
        return this.#set(before, mutation, now);
      case "delete":
        return undefined;
      case "increment":
        return this.#increment(before, mutation, now);
      case "touch":
        return before === undefined ? undefined : this.#touch(before, mutation);
    }
  }

  #set(before: MemoryEntry | undefined, mutation: SetMutation, now: number): MemoryEntry {
    const { expiresAt } = mutation;
    const due = expiresAt === "keep" ? before?.due : sinceEpoch(expiresAt);
    const version = ++this.#version;
    // An existing key keeps its string, so that it is in memory only once.
    return before === undefined
      ? this.#make(mutation.key, mutation, version, now, now, due)
      : this.#make(before.key, mutation, version, before.created, now, due);
  }

  #increment(
    before: MemoryEntry | undefined,
    mutation: IncrementMutation,
    now: number,
  ): MemoryEntry | typeof NOT_A_NUMBER {
    // Checked before `addToNumber`, which accepts text as the JSON of a number.
    if (before !== undefined && (before.encoding !== "json" || typeof before.payload !== "number")) {
      return NOT_A_NUMBER;
    }
    const sum = addToNumber(before?.payload, mutation.by);
    if (sum === undefined) return NOT_A_NUMBER;
    const { policy, user } = before ?? mutation;
    const content: Content = { payload: sum, encoding: "json", policy, user };
    const version = ++this.#version;
    return before === undefined
      ? this.#make(mutation.key, content, version, now, now, sinceEpoch(mutation.expiresAt))
      : this.#make(before.key, content, version, before.created, now, before.due);
  }

  #touch(before: MemoryEntry, { expiresAt, policy }: TouchMutation): MemoryEntry {
    const { key, payload, encoding, user, version, created, updated } = before;
    const content: Content = { payload, encoding, policy: policy ?? before.policy, user };
    const due = expiresAt === undefined ? before.due : sinceEpoch(expiresAt ?? undefined);
    return this.#make(key, content, version, created, updated, due);
  }

  #make(
    key: string,
    content: Content,
    version: number,
    created: number,
    updated: number,
    due: number | undefined,
  ): MemoryEntry {
    return this.#sized
      ? new SizedEntry(key, content, version, created, updated, due)
      : new MemoryEntry(key, content, version, created, updated, due);
  }
}

function sinceEpoch(time: number | undefined): number | undefined {
  return time === undefined ? undefined : time - EPOCH;
}

/** The outcome of a mutation that turned `before` into `after`. */
export function outcomeOf(
  mutation: Mutation,
  before: MemoryEntry | undefined,
  after: MemoryEntry | undefined,
): Outcome {
  if (after === undefined || mutation.type === "touch") return { existed: before !== undefined };
  const revision = revisionText(after.version);
  return mutation.type === "increment" ? { revision, value: after.payload as number } : { revision };
}
