import type Sqlite from "better-sqlite3";
import type { Transactions } from "../connection/transactions.ts";
import { type Block, NO_BLOCK, type Revisions, textIn } from "../stored/revisions.ts";
import type { Tables } from "../stored/schema.ts";

/** How many revisions are reserved at once: one write in so many costs a transaction more. */
const BLOCK = 2 ** 20;
/**
 * Milliseconds for which a connection gives out the revisions of one block. Much less than the age at which blocks that
 * no entry bears are removed.
 */
const BLOCK_LIFETIME_MS = 24 * 60 * 60 * 1000;

/** Revisions that one connection alone gives out. */
export interface RevisionBlock {
  readonly first: number;
  /** The first that is not one of them. */
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
  /** Wall clock: that of all processes of the machine. */
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
   * Sees to it that so many revisions can be taken. They are reserved in blocks by a transaction of its own, so that no
   * two connections ever give out the same one, and none is given out twice where a write is rolled back. What is left
   * of a block when the process ends is lost.
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

  /** The block that the file must hold as long as it is the one that was opened; later a sweep may have removed it. */
  get lasting(): Block {
    return this.#isYoung() ? this.#block : NO_BLOCK;
  }

  /** The revisions that are being given out; none before the first write. */
  get block(): Block {
    return this.#block;
  }

  /** A revision out of those reserved, as callers see it. */
  textOf(revision: number): string {
    return textIn(this.#block, revision);
  }

  /** A revision out of those reserved, as it is stored. */
  nextRevision(): number {
    return this.#next++;
  }
}
