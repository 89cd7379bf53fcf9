/**
 * Revisions as callers see them, and as they are stored.
 *
 * A row holds an integer. Every connection that writes reserves a block of integers in `kv_revisions`, with a random text
 * of its own; callers see that text and the place within the block. An integer may recur: after the file was restored from
 * a backup, or copied, the next block begins where the lost one did. The text does not recur, so a revision that a caller
 * remembers from the lost future matches nothing.
 *
 * Rows written before texts were introduced are in no block; callers see their plain integer, as they always did.
 */
import { randomBytes } from "node:crypto";
import type Sqlite from "better-sqlite3";
import type { Tables } from "./schema.ts";

/** How many blocks are remembered. Each opening that wrote has one. */
const REMEMBERED = 4096;
/** 96 bits, 16 characters: with its text, a revision is longer than any plain integer, and cannot be taken for one. */
const RANDOM_BYTES = 12;

/** Integers from `first` to before `end`. Callers see `text`, followed by the integer less `base`. */
export interface Block {
  readonly first: number;
  readonly end: number;
  readonly text: string;
  readonly base: number;
}

export const NO_BLOCK: Block = { first: 0, end: 0, text: "", base: 0 };

type BlockRow = readonly [first: number, end: number, text: string];

export class Revisions {
  readonly #db: Sqlite.Database;
  readonly #tables: Tables;
  #find: Sqlite.Statement<[number], BlockRow> | undefined;
  #limit: Sqlite.Statement<[number], number | null> | undefined;
  #insert: Sqlite.Statement<[number, number, string, number]> | undefined;
  /** The blocks that are remembered, in order. */
  #known: Block[] = [];
  #last = NO_BLOCK;

  constructor(db: Sqlite.Database, tables: Tables) {
    this.#db = db;
    this.#tables = tables;
  }

  /** Stores a block with a unique text, within the transaction that reserves the integers. */
  reserve(first: number, end: number): Block {
    this.#insert ??= this.#db.prepare(
      `INSERT INTO ${this.#tables.revisions} (first, beyond, text, reserved_at) VALUES (?, ?, ?, ?)`,
    );
    const text = randomBytes(RANDOM_BYTES).toString("base64url");
    this.#insert.run(first, end, text, Date.now());
    return { first, end, text, base: first };
  }

  /** The block of a row's revision. It was reserved before the row was written, so a reader that sees the row sees the block. */
  blockOf(revision: number): Block {
    if (!holds(this.#last, revision)) this.#last = this.#remembered(revision) ?? this.#load(revision);
    return this.#last;
  }

  /** A row's revision as callers see it. */
  textOf(revision: number): string {
    return textIn(this.blockOf(revision), revision);
  }

  #remembered(revision: number): Block | undefined {
    const block = this.#known[this.#placeOf(revision) - 1];
    return block !== undefined && holds(block, revision) ? block : undefined;
  }

  /** How many known blocks begin at or before a revision. */
  #placeOf(revision: number): number {
    let [low, high] = [0, this.#known.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#known[middle] as Block).first <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #load(revision: number): Block {
    const { revisions, meta } = this.#tables;
    if (this.#find === undefined && !this.#isThere()) {
      // An old layout, opened with readOnly. Not remembered: another process may migrate it at any time.
      return { first: revision, end: revision + 1, text: "", base: 0 };
    }
    this.#find ??= this.#db
      .prepare<[number], BlockRow>(
        `SELECT first, beyond, text FROM ${revisions} WHERE first <= ? ORDER BY first DESC LIMIT 1`,
      )
      .raw()
      .safeIntegers(false);
    const before = this.#find.get(revision);
    if (before !== undefined && revision < before[1]) {
      const [first, end, text] = before;
      return this.#remember({ first, end, text, base: first });
    }
    // Reserved without a text. Later blocks begin behind all integers reserved so far.
    this.#limit ??= this.#db
      .prepare<[number], number | null>(
        `SELECT coalesce((SELECT min(first) FROM ${revisions} WHERE first > ?), value) FROM ${meta} WHERE name = 'revision'`,
      )
      .pluck()
      .safeIntegers(false);
    const end = Math.max(this.#limit.get(revision) ?? 0, revision + 1);
    return this.#remember({ first: before?.[1] ?? 0, end, text: "", base: 0 });
  }

  #remember(block: Block): Block {
    if (this.#known.length >= REMEMBERED) this.#known = [];
    this.#known.splice(this.#placeOf(block.first), 0, block);
    return block;
  }

  #isThere(): boolean {
    return (
      this.#db
        .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?")
        .get(this.#tables.revisions) !== undefined
    );
  }
}

function holds(block: Block, revision: number): boolean {
  return revision >= block.first && revision < block.end;
}

/** A revision of this block as callers see it. */
export function textIn({ text, base }: Block, revision: number): string {
  return `${text}${revision - base}`;
}
