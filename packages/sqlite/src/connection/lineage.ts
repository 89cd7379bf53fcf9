import type Sqlite from "better-sqlite3";
import { isBusy, isOutOfReach, isWrongFile } from "../errors.ts";
import type { Block } from "../stored/revisions.ts";
import { SCHEMA_VERSION, type Tables } from "../stored/schema.ts";

/**
 * How a connection recognizes the database that it opened: by the text of the very first block of revisions, the number
 * of revisions reserved when it was opened, and the block that it has reserved itself. None of these is ever removed,
 * except a block that is long out of use.
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

  /** Whether a fresh connection finds these. Not if it would need a key first, as the owner of an encrypted database gives. */
  get isFoundAfresh(): boolean {
    try {
      return this.#continuesAfresh();
    } catch (error) {
      return isBusy(error) || isOutOfReach(error);
    }
  }

  /** Whether the file still holds these; `undefined`: it cannot be read now. */
  continues(): boolean | undefined {
    if (!this.#db.open) return undefined;
    try {
      if (!isInWalMode(this.#db)) return this.#db.inTransaction ? undefined : this.#continuesIn(this.#db);
      // In WAL mode a connection keeps its cache until the log says that a page was written.
      return this.#continuesAfresh();
    } catch (error) {
      return isWrongFile(error) ? false : undefined;
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

/** The path of a database's file, links resolved; `""`: it has no file. */
export function fileOf(db: Sqlite.Database): string {
  const [main] = db.pragma("database_list") as { readonly file: string | null }[];
  return main?.file ?? "";
}

/**
 * A separate read-only connection to the same file, made by the same copy of the driver: two copies do not see each other's
 * locks, and closing a connection of one would drop the locks of the other.
 */
export function another(db: Sqlite.Database): Sqlite.Database {
  const Database = db.constructor as new (path: string, options: Sqlite.Options) => Sqlite.Database;
  return new Database(fileOf(db), { readonly: true, timeout: 0 });
}
