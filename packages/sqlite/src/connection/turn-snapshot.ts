import { statSync } from "node:fs";
import { nextTurn } from "@kv/core";
import type Sqlite from "better-sqlite3";

/** The first read of a turn may be its only one; a snapshot pays from the second read on. */
const READS_BEFORE = 1;

let unnamed = 0;

/** The snapshots of each file in this thread. */
const SNAPSHOTS = new Map<string, Set<TurnSnapshot>>();

/**
 * A read transaction that is held for the rest of the event loop's turn: taking and releasing the read lock costs more than
 * reading an entry. It ends before any write of this connection, after any write of another one in this thread, and at the
 * latest with the turn: news of writes in other threads and processes can only arrive in a later turn.
 */
export class TurnSnapshot {
  readonly #begin: Sqlite.Statement<[]>;
  readonly #commit: Sqlite.Statement<[]>;
  readonly #rollback: Sqlite.Statement<[]>;
  readonly #db: Sqlite.Database;
  readonly #enabled: boolean;
  readonly #check: () => void;
  readonly #file: string;
  readonly #ofFile: Set<TurnSnapshot>;
  #held: symbol | undefined;
  /** Reads in this turn since its last write. */
  #reads = 0;
  /** Whether `endTurn` is scheduled for the end of this turn. */
  #inTurn = false;
  readonly #endTurn = (): void => {
    this.#inTurn = false;
    this.release();
  };

  /** `check` runs before the first read of each turn, and may throw. */
  constructor(db: Sqlite.Database, enabled: boolean, check: () => void) {
    this.#enabled = enabled;
    this.#check = check;
    this.#begin = db.prepare("BEGIN");
    this.#commit = db.prepare("COMMIT");
    this.#rollback = db.prepare("ROLLBACK");
    this.#db = db;
    this.#file = fileOf(db);
    this.#ofFile = SNAPSHOTS.get(this.#file) ?? new Set();
    this.#ofFile.add(this);
    SNAPSHOTS.set(this.#file, this.#ofFile);
  }

  /** Identifies the snapshot that is held, if any: what was found in it stays true in it. */
  get held(): symbol | undefined {
    return this.#held;
  }

  /** After a write of this connection. */
  outdateOthers(): void {
    if (this.#ofFile.size > 1) for (const other of this.#ofFile) if (other !== this) other.release();
  }

  /** Before a read. */
  enter(): void {
    if (this.#held !== undefined) return;
    if (!this.#inTurn) {
      this.#check();
      if (!this.#enabled) return;
      this.#inTurn = true;
      nextTurn(this.#endTurn);
    }
    if (this.#reads++ < READS_BEFORE) return;
    this.#begin.run();
    this.#held = Symbol();
  }

  /** Before a write, and before whatever has to see the latest state. */
  release(): void {
    this.#reads = 0;
    if (this.#held === undefined) return;
    this.#held = undefined;
    try {
      this.#commit.run();
    } catch {
      // After a read that found the file damaged, ending the transaction reports the damage again. The reader has had the
      // error, and at the end of a turn no caller is waiting for one.
      if (this.#db.inTransaction) this.#rollback.run();
    }
  }

  close(): void {
    this.#inTurn = false;
    this.release();
    this.#ofFile.delete(this);
    if (this.#ofFile.size === 0) SNAPSHOTS.delete(this.#file);
  }
}

/** The identity of a file, the same however its path is written. */
function fileOf(db: Sqlite.Database): string {
  const file = db.memory ? undefined : statSync(db.name, { throwIfNoEntry: false });
  return file === undefined ? `${++unnamed}` : `${file.dev}:${file.ino}`;
}
