import { SliceSize } from "@kv/core";
import type Sqlite from "better-sqlite3";
import type { Transactions } from "../connection/transactions.ts";
import { pause, SLICE_MS, type WriteQueue } from "../connection/write-queue.ts";
import type { DeadlineFlag } from "../stored/deadline-flag.ts";
import type { Tables } from "../stored/schema.ts";
import type { ExpiredRows } from "./expired-rows.ts";

/** The most rows that one transaction deletes. */
const PER_TRANSACTION = 500;

interface Look {
  /** Row ids. */
  readonly found: readonly number[];
  /** Where to look next; `undefined`: there is nothing left. */
  readonly next: number | undefined;
}

/**
 * Deletes expired rows by walking over the table: an index on deadlines would cost the writes more than the walks cost. It
 * looks first, without hindering other connections, and takes the write lock only for the rows it found.
 */
export class Sweeper {
  readonly #next: Sqlite.Statement<[number], number | null>;
  readonly #find: Sqlite.Statement<[number, number, number, number], number>;
  readonly #delete: Sqlite.Statement<[number, number, number]>;
  readonly #queue: WriteQueue;
  readonly #transactions: Transactions;
  readonly #expiredRows: ExpiredRows;
  readonly #deadlines: DeadlineFlag;
  readonly #clock: () => number;
  #stopped = false;

  constructor(
    db: Sqlite.Database,
    { entries }: Tables,
    parts: {
      readonly queue: WriteQueue;
      readonly transactions: Transactions;
      readonly expiredRows: ExpiredRows;
      readonly deadlines: DeadlineFlag;
    },
    clock: () => number,
  ) {
    this.#next = db
      .prepare<[number], number | null>(`SELECT min(rowid) FROM ${entries} WHERE rowid >= ?`)
      .pluck()
      .safeIntegers(false);
    const expired = "rowid >= ? AND rowid <= ? AND expires_at <= ?";
    this.#find = db
      .prepare<[number, number, number, number], number>(
        `SELECT rowid FROM ${entries} WHERE ${expired} ORDER BY rowid LIMIT ?`,
      )
      .pluck()
      .safeIntegers(false);
    this.#delete = db.prepare(`DELETE FROM ${entries} WHERE ${expired}`);
    this.#queue = parts.queue;
    this.#transactions = parts.transactions;
    this.#expiredRows = parts.expiredRows;
    this.#deadlines = parts.deadlines;
    this.#clock = clock;
  }

  /** Returns how many entries were removed. */
  async sweep(): Promise<number> {
    if (!this.#deadlines.isRaised()) return 0;
    const size = new SliceSize(SLICE_MS, 1024, 64, 2 ** 20);
    let removed = 0;
    let from: number | undefined = Number.MIN_SAFE_INTEGER;
    while (from !== undefined && !this.#stopped) {
      const start: number = from;
      const { found, next }: Look = await this.#queue.read(() =>
        size.measure(() => this.#look(start, size.current)),
      );
      from = next;
      const [first] = found;
      const last = found.at(-1);
      if (first !== undefined && last !== undefined)
        removed += await this.#queue.run(() => this.#remove(first, last));
      await pause(0);
    }
    return removed;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Finds the expired rows among the next `size` row ids, from the first that exists. */
  #look(from: number, size: number): Look {
    const start = this.#next.get(from) ?? undefined;
    if (start === undefined) return { found: [], next: undefined };
    const end = start + size - 1;
    const found = this.#find.all(start, end, this.#clock(), PER_TRANSACTION);
    const last = found.at(-1);
    return { found, next: (found.length === PER_TRANSACTION && last !== undefined ? last : end) + 1 };
  }

  /** A row that was rewritten since it was found has another deadline, or none, and stays. */
  #remove(first: number, last: number): number {
    if (this.#stopped) return 0;
    return this.#transactions.run(() =>
      this.#expiredRows.run(() => this.#delete.run(first, last, this.#clock()).changes),
    );
  }
}
