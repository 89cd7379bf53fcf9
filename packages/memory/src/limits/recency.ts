import { utf8Length } from "@kv/core";
import type { MemoryEntry } from "../stored/entry.ts";
import { type Cell, Rank } from "../stored/keyspace.ts";

/** The limit that evicted an entry. */
export type EvictReason = "maxEntries" | "maxBytes";

export interface Limits {
  /** `Infinity`: no limit; the same for `maxBytes`. */
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** All cells of an adapter in the order of their last use, and their weight. */
export class Recency {
  readonly limits: Limits;
  readonly #ring = new Rank(undefined);
  #entries = 0;
  #bytes = 0;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /** The limit that is exceeded, if one is. */
  get exceeded(): EvictReason | undefined {
    if (this.#entries > this.limits.maxEntries) return "maxEntries";
    return this.#bytes > this.limits.maxBytes ? "maxBytes" : undefined;
  }

  /** The least recently used cell. */
  get oldest(): Cell | undefined {
    return this.#ring.newer.cell;
  }

  /** Called for a read: makes the cell the newest. */
  use(cell: Cell): void {
    const { rank } = cell;
    if (rank === undefined || rank === this.#ring.older) return;
    unlink(rank);
    this.#append(rank);
  }

  /** Called for a write: makes a new or rewritten cell the newest. `before` is the entry that it had. */
  write(cell: Cell, before: MemoryEntry | undefined): void {
    if (cell.rank === undefined) {
      cell.rank = new Rank(cell);
      this.#entries += 1;
    } else {
      unlink(cell.rank);
    }
    this.#append(cell.rank);
    this.#bytes += weightOf(cell.entry) - (before === undefined ? 0 : weightOf(before));
  }

  remove(cell: Cell): void {
    if (cell.rank === undefined) return;
    unlink(cell.rank);
    cell.rank = undefined;
    this.#entries -= 1;
    this.#bytes -= weightOf(cell.entry);
  }

  /** Whether an entry alone exceeds `maxBytes`. */
  isTooHeavy(entry: MemoryEntry): boolean {
    return weightOf(entry) > this.limits.maxBytes;
  }

  #append(rank: Rank): void {
    const newest = this.#ring.older;
    rank.older = newest;
    rank.newer = this.#ring;
    newest.newer = rank;
    this.#ring.older = rank;
  }
}

function unlink(rank: Rank): void {
  rank.older.newer = rank.newer;
  rank.newer.older = rank.older;
}

/** The bytes that count towards `maxBytes`; 0 if sizes are not measured. */
function weightOf(entry: MemoryEntry): number {
  if (entry.size === undefined) return 0;
  return utf8Length(entry.key) + entry.size + (entry.user === undefined ? 0 : utf8Length(entry.user));
}
