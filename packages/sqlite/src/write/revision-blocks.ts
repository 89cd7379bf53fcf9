import type Sqlite from "better-sqlite3";
import type { Transactions } from "../connection/transactions.ts";
import { type Block, NO_BLOCK, type Revisions, textIn } from "../stored/revisions.ts";
import type { Tables } from "../stored/schema.ts";

/** How many revisions are reserved at once: one write in so many costs an extra transaction. */
const BLOCK = 2 ** 20;
/**
 * Milliseconds for which a connection gives out the revisions of one block. Much less than the age at which blocks that
 * no entry uses are removed, see `retired-blocks.ts`.
 */
const BLOCK_LIFETIME_MS = 24 * 60 * 60 * 1000;

/** Revisions that only one connection gives out. */
export interface RevisionBlock {
  readonly first: number;
  /** The first integer behind them. */
  readonly end: number;
}

export const NO_REVISIONS: RevisionBlock = { first: 0, end: 0 };

export function isSameBlock(one: RevisionBlock, other: RevisionBlock): boolean {
  return one.first === other.first && one.end === other.end;
}

/** Gives out the revisions of this connection's writes. */
export class RevisionBlocks {
  readonly #transactions: Transactions;
  readonly #revisions: Revisions;
  readonly #read: Sqlite.Statement<[], number>;
  readonly #write: Sqlite.Statement<[number]>;
  #next = 0;
  /** By the wall clock, which all processes of the machine share. */
  #reservedAt = 0;
  #block: Block = NO_BLOCK;

  constructor(db: Sqlite.Database, { meta }: Tables, transactions: Transactions, revisions: Revisions) {
    this.#transactions = transactions;
    this.#revisions = revisions;
    this.#read = db
      .prepare<[], number>(`SELECT value FROM ${meta} WHERE name = 'revision'`)
      .pluck()
      .safeIntegers(false);
    this.#write = db.prepare(`UPDATE ${meta} SET value = ? WHERE name = 'revision'`);
  }

  /**
   * Ensures that `count` revisions can be taken. They are reserved in blocks, each by a transaction of its own, so that no
   * two connections ever give out the same revision, and a rolled-back write does not make one recur. The rest of a block
   * is lost when the process ends.
   */
  reserve(count: number): void {
    if (this.#block.end - this.#next >= count && this.#isYoung()) return;
    const size = Math.max(BLOCK, count);
    this.#block = this.#transactions.run(() => {
      const free = this.#read.get() ?? 1;
      this.#write.run(free + size);
      return this.#revisions.reserve(free, free + size);
    });
    this.#next = this.#block.first;
    this.#reservedAt = Date.now();
  }

  #isYoung(): boolean {
    return Date.now() - this.#reservedAt < BLOCK_LIFETIME_MS;
  }

  /** The block that the file must hold if it is still the one that was opened; once old, a sweep may have removed it. */
  get lasting(): Block {
    return this.#isYoung() ? this.#block : NO_BLOCK;
  }

  /** The block whose revisions are being given out; empty before the first write. */
  get block(): Block {
    return this.#block;
  }

  /** A revision of the block, as callers see it. */
  textOf(revision: number): string {
    return textIn(this.#block, revision);
  }

  /** The next revision, as it is stored. */
  nextRevision(): number {
    return this.#next++;
  }
}
