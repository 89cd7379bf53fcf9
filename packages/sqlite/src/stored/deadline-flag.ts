import type Sqlite from "better-sqlite3";
import type { Tables } from "./schema.ts";

/**
 * Whether any entry may have a deadline, recorded in the database for all processes. Without one, reads and counts
 * leave deadlines out, and a sweep has nothing to do. Once raised, the flag stays.
 */
export class DeadlineFlag {
  readonly #read: Sqlite.Statement<[], number>;
  readonly #raise: Sqlite.Statement<[]>;
  #raised = false;

  constructor(db: Sqlite.Database, { meta }: Tables) {
    this.#read = db
      .prepare<[], number>(`SELECT value FROM ${meta} WHERE name = 'deadlines'`)
      .pluck()
      .safeIntegers(false);
    this.#raise = db.prepare(`UPDATE ${meta} SET value = 1 WHERE name = 'deadlines'`);
  }

  isRaised(): boolean {
    if (!this.#raised) this.#raised = this.#read.get() === 1;
    return this.#raised;
  }

  /** Before the first write with a deadline. */
  raise(): void {
    if (this.isRaised()) return;
    this.#raise.run();
    this.#raised = true;
  }
}
