import type Sqlite from "better-sqlite3";
import type { Tables } from "../stored/schema.ts";

/** Deletes what has expired, and lets watchers know that it was not deleted by anybody. */
export class ExpiredRows {
  readonly #lastChange: Sqlite.Statement<[], number>;
  readonly #mark: Sqlite.Statement<[number]>;

  constructor(db: Sqlite.Database, { changes }: Tables) {
    this.#lastChange = db
      .prepare<[], number>(`SELECT coalesce(max(seq), 0) FROM ${changes}`)
      .pluck()
      .safeIntegers(false);
    this.#mark = db.prepare(`UPDATE ${changes} SET kind = 'expire' WHERE seq > ?`);
  }

  /** Within a transaction. `remove` deletes expired rows alone, → how many. */
  run(remove: () => number): number {
    const before = this.#lastChange.get() ?? 0;
    const removed = remove();
    // The triggers of the change feed, where there are any, have noted deletions.
    if (removed > 0) this.#mark.run(before);
    return removed;
  }
}
