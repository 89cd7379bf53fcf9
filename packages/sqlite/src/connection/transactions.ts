import type Sqlite from "better-sqlite3";

/** The write transactions of this connection, by statements that are prepared once. */
export class Transactions {
  readonly #db: Sqlite.Database;
  readonly #begin: Sqlite.Statement<[]>;
  readonly #commit: Sqlite.Statement<[]>;
  readonly #rollback: Sqlite.Statement<[]>;
  readonly #savepoint: Sqlite.Statement<[]>;
  readonly #release: Sqlite.Statement<[]>;
  readonly #undo: Sqlite.Statement<[]>;

  constructor(db: Sqlite.Database) {
    this.#db = db;
    this.#begin = db.prepare("BEGIN IMMEDIATE");
    this.#commit = db.prepare("COMMIT");
    this.#rollback = db.prepare("ROLLBACK");
    this.#savepoint = db.prepare("SAVEPOINT kv_part");
    this.#release = db.prepare("RELEASE kv_part");
    this.#undo = db.prepare("ROLLBACK TO kv_part");
  }

  /** Does all of the work or, if it throws, none of it. Holds the write lock from the beginning. */
  run<T>(work: () => T): T {
    this.#begin.run();
    try {
      const result = work();
      this.#commit.run();
      return result;
    } catch (error) {
      // After some errors (a full disk) SQLite has already rolled back.
      if (this.#db.inTransaction) this.#rollback.run();
      throw error;
    }
  }

  /** Within `run`: a part that is undone alone if it throws, or if `keep` refuses its result. */
  part<T>(work: () => T, keep: (result: T) => boolean): T {
    this.#savepoint.run();
    let kept = false;
    try {
      const result = work();
      kept = keep(result);
      return result;
    } finally {
      if (this.#db.inTransaction) {
        if (!kept) this.#undo.run();
        this.#release.run();
      }
    }
  }
}
