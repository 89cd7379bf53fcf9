import { type Filter, monotonicNow } from "@kv/core";
import type Sqlite from "better-sqlite3";
import type { Transactions } from "../connection/transactions.ts";
import type { DeadlineFlag } from "../stored/deadline-flag.ts";
import { BEYOND_TEXT } from "../stored/namespaces.ts";
import type { Tables } from "../stored/schema.ts";
import type { ExpiredRows } from "./expired-rows.ts";

export interface Slice {
  /** Live entries that were removed. */
  readonly removed: number;
  /** Where to go on; `undefined`: there is nothing left. */
  readonly next: string | undefined;
}

/** A key, and the index of its namespace in a list. */
export interface Place {
  readonly at: number;
  readonly start: string;
}

export interface Slices {
  /** Live entries that were removed. */
  readonly removed: number;
  /** Where to go on; `undefined`: there is nothing left. */
  readonly next: Place | undefined;
}

/** Rows removed between two looks at the clock. */
const ROWS = 256;

type Between = [number, string, string | Buffer];

/** Removes ranges, a slice at a time. */
export class Eraser {
  readonly #after: Sqlite.Statement<[...Between, number], string>;
  readonly #expired: Sqlite.Statement<[...Between, number]>;
  readonly #all: Sqlite.Statement<Between>;
  readonly #ofPolicy: Sqlite.Statement<[...Between, number]>;
  readonly #transactions: Transactions;
  readonly #expiredRows: ExpiredRows;
  readonly #deadlines: DeadlineFlag;
  readonly #clock: () => number;

  constructor(
    db: Sqlite.Database,
    tables: Tables,
    parts: {
      readonly transactions: Transactions;
      readonly expiredRows: ExpiredRows;
      readonly deadlines: DeadlineFlag;
    },
    clock: () => number,
  ) {
    const { entries } = tables;
    const between = "namespace = ? AND key >= ? AND key < ?";
    this.#after = db
      .prepare<[...Between, number], string>(
        `SELECT key FROM ${entries} WHERE ${between} ORDER BY key LIMIT 1 OFFSET ?`,
      )
      .pluck();
    this.#expired = db.prepare(`DELETE FROM ${entries} WHERE ${between} AND expires_at <= ?`);
    this.#all = db.prepare(`DELETE FROM ${entries} WHERE ${between}`);
    this.#ofPolicy = db.prepare(`DELETE FROM ${entries} WHERE ${between} AND evictable = ?`);
    this.#transactions = parts.transactions;
    this.#expiredRows = parts.expiredRows;
    this.#deadlines = parts.deadlines;
    this.#clock = clock;
  }

  /** Removes the matching ones of the first `rows` rows of the range. */
  slice(id: number, range: Pick<Filter, "start" | "end" | "policy">, rows: number): Slice {
    return this.#transactions.run(() => this.#erase(id, range, rows));
  }

  /** Clears one namespace after the other, for about `ms` milliseconds: small ones share a transaction. */
  several(ids: readonly number[], from: Place, policy: Filter["policy"], ms: number): Slices {
    return this.#transactions.run(() => {
      const until = monotonicNow() + ms;
      let removed = 0;
      let { at, start } = from;
      for (let id = ids[at]; id !== undefined; id = ids[at]) {
        const slice = this.#erase(id, { start, end: undefined, policy }, ROWS);
        removed += slice.removed;
        start = slice.next ?? "";
        if (slice.next === undefined) at++;
        if (monotonicNow() >= until) break;
      }
      return { removed, next: at < ids.length ? { at, start } : undefined };
    });
  }

  #erase(
    id: number,
    { start, end: last, policy }: Pick<Filter, "start" | "end" | "policy">,
    rows: number,
  ): Slice {
    const open = last ?? BEYOND_TEXT;
    const next = this.#after.get(id, start, open, rows);
    const end = next ?? open;
    if (this.#deadlines.isRaised()) {
      this.#expiredRows.run(() => this.#expired.run(id, start, end, this.#clock()).changes);
    }
    const { changes } =
      policy === undefined
        ? this.#all.run(id, start, end)
        : this.#ofPolicy.run(id, start, end, policy === "evict" ? 1 : 0);
    return { removed: changes, next };
  }
}
