import type Sqlite from "better-sqlite3";
import { isBusy, isOutOfReach } from "../errors.ts";
import type { Block } from "../stored/revisions.ts";
import { SCHEMA_VERSION, type Tables } from "../stored/schema.ts";

/**
 * By what a connection recognizes the database that it opened: the text of the very first block of revisions, the
 * revisions that were reserved when it was opened, and the block that it has reserved itself. None of these goes, but for
 * a block that is long out of use.
 */
export class Lineage {
  readonly #db: Sqlite.Database;
  readonly #tables: Tables;
  readonly #block: () => Block;
  readonly #firstText: string | undefined;
  readonly #reserved: number;

  constructor(db: Sqlite.Database, tables: Tables, block: () => Block) {
    this.#db = db;
    this.#tables = tables;
    this.#block = block;
    this.#firstText = this.#firstTextIn(db);
    this.#reserved = this.#reservedIn(db);
  }

  /** Whether a connection of its own finds it: not where one has to be told a key first, as by the owner of a database. */
  get isFoundAfresh(): boolean {
    try {
      return this.#continuesAfresh();
    } catch (error) {
      return isBusy(error) || isOutOfReach(error);
    }
  }

  /** Whether the file holds what this connection relies on; `undefined`: it cannot be read now. */
  continues(): boolean | undefined {
    if (!this.#db.open) return undefined;
    try {
      if (!isInWalMode(this.#db)) return this.#db.inTransaction ? undefined : this.#continuesIn(this.#db);
      // In WAL mode a connection keeps its cache until the log says that a page was written.
      return this.#continuesAfresh();
    } catch (error) {
      return isBusy(error) || isOutOfReach(error) ? undefined : false;
    }
  }

  #continuesAfresh(): boolean {
    const fresh = another(this.#db);
    try {
      return this.#continuesIn(fresh);
    } finally {
      fresh.close();
    }
  }

  #continuesIn(db: Sqlite.Database): boolean {
    if (this.#reservedIn(db) < this.#reserved) return false;
    if (this.#firstText !== undefined && this.#firstTextIn(db) !== this.#firstText) return false;
    const { first, end, text } = this.#block();
    return first === end || this.#textAt(db, first) === text;
  }

  #reservedIn(db: Sqlite.Database): number {
    return Number(
      db.prepare(`SELECT value FROM ${this.#tables.meta} WHERE name = 'revision'`).pluck().get() ?? 0,
    );
  }

  #firstTextIn(db: Sqlite.Database): string | undefined {
    const version = db.prepare(`SELECT value FROM ${this.#tables.meta} WHERE name = 'version'`).pluck().get();
    if (Number(version) < SCHEMA_VERSION) return undefined;
    return db
      .prepare<[], string>(`SELECT text FROM ${this.#tables.revisions} ORDER BY first LIMIT 1`)
      .pluck()
      .get();
  }

  #textAt(db: Sqlite.Database, first: number): unknown {
    return db.prepare(`SELECT text FROM ${this.#tables.revisions} WHERE first = ?`).pluck().get(first);
  }
}

export function isInWalMode(db: Sqlite.Database): boolean {
  return db.pragma("journal_mode", { simple: true }) === "wal";
}

/** Where the file of a database is, links resolved; `""`: it has none. */
export function fileOf(db: Sqlite.Database): string {
  const [main] = db.pragma("database_list") as { readonly file: string | null }[];
  return main?.file ?? "";
}

/**
 * A connection of its own to the same file, to read from. By the same copy of the driver: two copies know nothing of one
 * another's locks, and the end of one connection would drop those of the other.
 */
export function another(db: Sqlite.Database): Sqlite.Database {
  const Database = db.constructor as new (path: string, options: Sqlite.Options) => Sqlite.Database;
  return new Database(fileOf(db), { readonly: true, timeout: 0 });
}
