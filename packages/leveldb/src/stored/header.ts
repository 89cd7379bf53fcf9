import { CorruptEntry } from "@kv/core";
import type { LeveldbEntry } from "./entry.ts";

/** What a commit has to know of a key before it writes it. */
export interface Header {
  readonly revision: string;
  /** As it is stored; empty where nothing is, or nothing that can be read. */
  readonly createdAt: string;
  /** From when on the entry is absent: `Infinity`: never, `ABSENT`: there is none. */
  readonly deadline: number;
  readonly evictable: boolean;
  /**
   * A time at which, or before which, the expiry index looks at this key; `Infinity`: none is known. It outlasts the
   * entry: what is written later and expires later needs no record of its own.
   */
  readonly watchedFrom: number;
}

/** A deadline that has always come. */
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
    // Whoever stored the deadline saw to it that the index has a record of that time at the latest.
    watchedFrom: deadline,
  };
}
