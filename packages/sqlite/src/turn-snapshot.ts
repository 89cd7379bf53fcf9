import type Sqlite from "better-sqlite3";

/** The first read of a turn may be its only one; a snapshot pays from the second on. */
const READS_BEFORE = 1;

/**
 * A read transaction that is held for the rest of the event loop's turn: taking and giving back the read lock costs more
 * than reading an entry. It is released before any write of this connection, and at the end of the turn at the latest.
 */
export class TurnSnapshot {
  readonly #begin: Sqlite.Statement<[]>;
  readonly #commit: Sqlite.Statement<[]>;
  readonly #rollback: Sqlite.Statement<[]>;
  readonly #db: Sqlite.Database;
  readonly #enabled: boolean;
  #held = false;
  /** Reads in this turn since its last write. */
  #reads = 0;
  #turn: NodeJS.Immediate | undefined;
  readonly #endTurn = (): void => {
    this.#turn = undefined;
    this.release();
  };

  constructor(db: Sqlite.Database, enabled: boolean) {
    this.#enabled = enabled;
    this.#begin = db.prepare("BEGIN");
    this.#commit = db.prepare("COMMIT");
    this.#rollback = db.prepare("ROLLBACK");
    this.#db = db;
  }

  /** Before a read. */
  enter(): void {
    if (this.#held || !this.#enabled) return;
    this.#turn ??= setImmediate(this.#endTurn);
    if (this.#reads++ < READS_BEFORE) return;
    this.#begin.run();
    this.#held = true;
  }

  /** Before a write, and before whatever has to see the latest state. */
  release(): void {
    this.#reads = 0;
    if (!this.#held) return;
    this.#held = false;
    try {
      this.#commit.run();
    } catch {
      // After a read that found the file damaged, ending the transaction reports that once more. Who read was told, and
      // at the end of a turn nobody could be.
      if (this.#db.inTransaction) this.#rollback.run();
    }
  }

  close(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    this.release();
  }
}
