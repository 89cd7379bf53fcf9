import type { Namespace } from "@kv/core";
import type { MemoryEntry } from "./entry.ts";
import { KeyMap } from "./key-map.ts";
import { SortedKeys } from "./sorted-keys.ts";

/** A cell's place in the order of use: a link of a ring, in which the ring's own link stands between newest and oldest. */
export class Rank {
  readonly cell: Cell | undefined;
  older: Rank = this;
  newer: Rank = this;

  constructor(cell: Cell | undefined) {
    this.cell = cell;
  }
}

/** A key's place: it stays while the key exists, and holds the key's current entry. */
export class Cell {
  readonly key: string;
  readonly keyspace: Keyspace;
  entry: MemoryEntry;
  /** Its index among the deadlines; -1: it has none there. Only `Deadlines` writes it. */
  filed = -1;
  /** Its place in the order of use, if that is kept. Only `Recency` writes it. */
  rank: Rank | undefined = undefined;

  constructor(key: string, keyspace: Keyspace, entry: MemoryEntry) {
    this.key = key;
    this.keyspace = keyspace;
    this.entry = entry;
  }
}

/** The cells of one namespace: found by key, kept in order, and counted. */
export class Keyspace {
  readonly namespace: Namespace;
  readonly order: SortedKeys<Cell> = new SortedKeys();
  readonly #cells = new KeyMap<Cell>();
  #expiring = 0;
  #evictable = 0;
  #bytes = 0;

  constructor(namespace: Namespace) {
    this.namespace = namespace;
  }

  /** The number of keys. Like the numbers below, it includes expired keys that have not been reclaimed yet. */
  get size(): number {
    return this.#cells.size;
  }

  get expiring(): number {
    return this.#expiring;
  }

  get evictable(): number {
    return this.#evictable;
  }

  /** The bytes of the payloads, as far as entries know their size. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Cell | undefined {
    return this.#cells.get(key);
  }

  cells(): Iterable<Cell> {
    return this.#cells.values();
  }

  add(entry: MemoryEntry): Cell {
    const cell = new Cell(entry.key, this, entry);
    // The map goes first: it is the one that throws when it is full.
    this.#cells.add(entry.key, cell);
    this.order.insert(cell);
    this.#tally(entry, 1);
    return cell;
  }

  replace(cell: Cell, entry: MemoryEntry): void {
    this.#tally(cell.entry, -1);
    cell.entry = entry;
    this.#tally(entry, 1);
  }

  /** Removes a cell that `order` no longer has. */
  forget(cell: Cell): void {
    this.#cells.delete(cell.key);
    this.#tally(cell.entry, -1);
  }

  #tally(entry: MemoryEntry, by: 1 | -1): void {
    if (entry.due !== undefined) this.#expiring += by;
    if (entry.policy === "evict") this.#evictable += by;
    if (entry.size !== undefined) this.#bytes += by * entry.size;
  }
}
