import { CorruptEntry } from "@kv/core";
import type { LeveldbEntry } from "./entry.ts";

/** What a commit must know about a key before writing it. */
export interface Header {
  readonly revision: string;
  /** As it is stored; empty if nothing is stored, or it cannot be read. */
  readonly createdAt: string;
  /** The time from which the entry is absent; `Infinity`: never, `ABSENT`: there is no entry. */
  readonly deadline: number;
  readonly evictable: boolean;
  /**
   * The expiry index looks at this key at this time or earlier; `Infinity`: not as far as known. This outlasts the entry: a
   * later write with a later deadline needs no new record.
   */
  readonly watchedFrom: number;
}

/** A deadline that has always passed. */
export const ABSENT: number = Number.NEGATIVE_INFINITY;
export const NEVER: number = Number.POSITIVE_INFINITY;

const NOTHING: Header = absent(NEVER);

export function absent(watchedFrom: number): Header {
  return { revision: "", createdAt: "", deadline: ABSENT, evictable: false, watchedFrom };
}

export function headerOf(entry: LeveldbEntry | CorruptEntry | undefined): Header {
  if (entry === undefined) return NOTHING;
  if (entry instanceof CorruptEntry)
    return { revision: "", createdAt: "", deadline: NEVER, evictable: false, watchedFrom: NEVER };
  const deadline = entry.expiresAt ?? NEVER;
  return {
    revision: entry.revision,
    createdAt: entry.createdAtText,
    deadline,
    evictable: entry.policy === "evict",
    // The write that stored the deadline ensured that the index has a record of that time or an earlier one.
    watchedFrom: deadline,
  };
}
