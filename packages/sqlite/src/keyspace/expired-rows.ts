import type Sqlite from "better-sqlite3";
import type { Tables } from "../stored/schema.ts";

/** Deletes expired rows, and marks the changes as expirations, so that watchers do not take them for deletes. */
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

  /** Within a transaction. `remove` deletes expired rows only, and returns how many, as this does. */
  run(remove: () => number): number {
    const before = this.#lastChange.get() ?? 0;
    const removed = remove();
    // The change feed's triggers, if they exist, have recorded deletions.
    if (removed > 0) this.#mark.run(before);
    return removed;
  }
}
