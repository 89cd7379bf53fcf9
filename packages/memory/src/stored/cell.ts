import type { Rank } from "../limits/recency.ts";
import type { MemoryEntry } from "./entry.ts";
import type { Keyspace } from "./keyspace.ts";

/** A key's place: it stays while the key exists, and holds the entry of the moment. */
export class Cell {
  readonly key: string;
  readonly keyspace: Keyspace;
  entry: MemoryEntry;
  /** Where it stands among the deadlines; -1: not at all. `Deadlines` alone writes it. */
  filed = -1;
  /** Where it stands in the order of use, if that is kept. `Recency` alone writes it. */
  rank: Rank | undefined = undefined;

  constructor(key: string, keyspace: Keyspace, entry: MemoryEntry) {
    this.key = key;
    this.keyspace = keyspace;
    this.entry = entry;
  }
}
