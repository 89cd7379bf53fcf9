import { SliceSize } from "@kv/core";
import type Sqlite from "better-sqlite3";
import type { Transactions } from "../connection/transactions.ts";
import { pause, SLICE_MS, type WriteQueue } from "../connection/write-queue.ts";
import type { Tables } from "../stored/schema.ts";

/** Namespaces that one sweep looks at; the next sweep continues behind them. */
const PER_SWEEP = 2 ** 17;
/** The most rows that one transaction removes. */
const PER_TRANSACTION = 500;
/** With more undelivered changes than this, looking for the namespaces that they name is not worth it. */
const MANY_CHANGES = 20_000;

/**
 * Removes the rows of namespaces that have become empty, so that in a program with a namespace for each tenant, job or day
 * they do not accumulate, and listings do not walk over them.
 */
export class Vacated {
  readonly #look: Sqlite.Statement<[number, number], readonly [id: number, isEmpty: 0 | 1]>;
  readonly #changes: Sqlite.Statement<[], number | null>;
  readonly #delete: Sqlite.Statement<[string]>;
  readonly #queue: WriteQueue;
  readonly #transactions: Transactions;
  /** Where the next sweep begins. */
  #after = 0;
  #stopped = false;

  constructor(
    db: Sqlite.Database,
    { namespaces, entries, changes }: Tables,
    parts: { readonly queue: WriteQueue; readonly transactions: Transactions },
  ) {
    const isEmpty = `path <> '' AND NOT EXISTS (SELECT 1 FROM ${entries} AS e WHERE e.namespace = n.id)`;
    this.#look = db
      .prepare<[number, number], readonly [number, 0 | 1]>(
        `SELECT id, ${isEmpty} FROM ${namespaces} AS n WHERE id > ? ORDER BY id LIMIT ?`,
      )
      .raw()
      .safeIntegers(false);
    this.#changes = db
      .prepare<[], number | null>(`SELECT max(seq) - min(seq) FROM ${changes}`)
      .pluck()
      .safeIntegers(false);
    // A change is delivered with its namespace's path, so that row must stay until then.
    this.#delete = db.prepare(
      `DELETE FROM ${namespaces} AS n WHERE id IN (SELECT value FROM json_each(?)) AND ${isEmpty}
        AND id NOT IN (SELECT namespace FROM ${changes})`,
    );
    this.#queue = parts.queue;
    this.#transactions = parts.transactions;
  }

  /** Looks for empty namespaces without the write lock, and removes those that are still empty once it holds the lock. */
  async sweep(): Promise<void> {
    const size = new SliceSize(SLICE_MS, 512, 64, 2 ** 14);
    for (let looked = 0; looked < PER_SWEEP && !this.#stopped; ) {
      const rows = await this.#queue.read(() =>
        size.measure(() => this.#look.all(this.#after, size.current)),
      );
      const last = rows.at(-1);
      if (last === undefined) {
        this.#after = 0;
        return;
      }
      looked += rows.length;
      this.#after = last[0];
      await this.remove(rows.filter(([, isEmpty]) => isEmpty === 1).map(([id]) => id));
      await pause(0);
    }
  }

  /** Removes the empty ones among these namespaces. */
  async remove(ids: readonly number[]): Promise<void> {
    for (let from = 0; from < ids.length && !this.#stopped; from += PER_TRANSACTION) {
      const some = JSON.stringify(ids.slice(from, from + PER_TRANSACTION));
      await this.#queue.run(() => {
        if (this.#stopped || (this.#changes.get() ?? 0) > MANY_CHANGES) return;
        this.#transactions.run(() => this.#delete.run(some));
      });
    }
  }

  stop(): void {
    this.#stopped = true;
  }
}
