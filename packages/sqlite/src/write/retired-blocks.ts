import { monotonicNow, SliceSize } from "@kv/core";
import type Sqlite from "better-sqlite3";
import type { Transactions } from "../connection/transactions.ts";
import { pause, SLICE_MS, type WriteQueue } from "../connection/write-queue.ts";
import type { Tables } from "../stored/schema.ts";

/** Milliseconds after which a block is certainly out of use: far more than `revision-blocks.ts` gives out revisions of it. */
const RETIRED_AFTER_MS = 30 * 24 * 60 * 60 * 1000;
/** From this many retired blocks on, reading the whole table is worth it. */
const MANY = 1024;
/** Milliseconds between two readings. */
const PAUSE_MS = 24 * 60 * 60 * 1000;

/**
 * Removes blocks of revisions that no entry uses any more. Each opening that wrote leaves one: a program that starts every
 * minute would leave half a million a year.
 */
export class RetiredBlocks {
  readonly #count: Sqlite.Statement<[number, number], number>;
  readonly #next: Sqlite.Statement<[number], number | null>;
  readonly #borne: Sqlite.Statement<[number, number], number | null>;
  readonly #retired: Sqlite.Statement<[number], number>;
  readonly #delete: Sqlite.Statement<[string]>;
  readonly #schema: Sqlite.Statement<[], number>;
  readonly #queue: WriteQueue;
  readonly #transactions: Transactions;
  #nextAt = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(
    db: Sqlite.Database,
    { entries, revisions }: Tables,
    parts: { readonly queue: WriteQueue; readonly transactions: Transactions },
  ) {
    const numbers = <P extends unknown[]>(sql: string) =>
      db.prepare<P, number>(sql).pluck().safeIntegers(false);
    this.#count = numbers(`SELECT count(*) FROM (SELECT 1 FROM ${revisions} WHERE reserved_at < ? LIMIT ?)`);
    this.#next = numbers(`SELECT min(rowid) FROM ${entries} WHERE rowid >= ?`);
    this.#borne = numbers(
      `SELECT DISTINCT (SELECT first FROM ${revisions} WHERE first <= e.revision ORDER BY first DESC LIMIT 1)
      FROM ${entries} AS e WHERE rowid >= ? AND rowid < ?`,
    );
    // The very first one stays: a connection recognizes the database by it.
    this.#retired = numbers(
      `SELECT first FROM ${revisions} WHERE reserved_at < ? AND first > (SELECT min(first) FROM ${revisions})`,
    );
    this.#delete = db.prepare(`DELETE FROM ${revisions} WHERE first IN (SELECT value FROM json_each(?))`);
    this.#schema = numbers("PRAGMA schema_version");
    this.#queue = parts.queue;
    this.#transactions = parts.transactions;
  }

  async sweep(): Promise<void> {
    const retiredBefore = Date.now() - RETIRED_AFTER_MS;
    if (this.#stopped || monotonicNow() < this.#nextAt) return;
    const count = await this.#queue.read(() => this.#count.get(retiredBefore, MANY));
    if (this.#stopped || (count ?? 0) < MANY) return;
    this.#nextAt = monotonicNow() + PAUSE_MS;
    const [retired, schema] = await this.#queue.read(() => [
      new Set(this.#retired.all(retiredBefore)),
      this.#schema.get(),
    ]);
    const size = new SliceSize(SLICE_MS, 1024, 64, 2 ** 18);
    let from: number | undefined = Number.MIN_SAFE_INTEGER;
    while (from !== undefined) {
      if (this.#stopped) return;
      const start: number = from;
      from = await this.#queue.read(() => size.measure(() => this.#look(start, size.current, retired)));
      await pause(0);
    }
    if (retired.size > 0) await this.#queue.run(() => this.#remove([...retired], schema));
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Takes the blocks that the next `size` row ids use out of the set. Returns where to look next. */
  #look(from: number, size: number, retired: Set<number>): number | undefined {
    const start = this.#next.get(from) ?? undefined;
    if (start === undefined) return undefined;
    for (const first of this.#borne.all(start, start + size)) if (first !== null) retired.delete(first);
    return start + size;
  }

  #remove(blocks: readonly number[], schema: number | undefined): void {
    if (this.#stopped) return;
    this.#transactions.run(() => {
      // VACUUM gives rows new ids, so some may have been missed. It also changes the schema version.
      if (this.#schema.get() === schema) this.#delete.run(JSON.stringify(blocks));
    });
  }
}
