import { type Namespace, namespaceFromId } from "@kv/core";
import type Sqlite from "better-sqlite3";
import type { Transactions } from "../connection/transactions.ts";
import type { Tables } from "./schema.ts";

/** How many ids are remembered. Programs have few namespaces, or one per tenant. */
const REMEMBERED = 10_000;
/** Rows that one page of a listing looks at. */
const PAGE = 256;

/** The number of a namespace that does not exist: no row has it. */
export const NOWHERE = 0;

/** Thrown by a write whose namespace another connection removed because it was empty. The write has changed nothing. */
export class VanishedNamespace extends Error {
  constructor() {
    super("the namespace was removed while it was empty");
    this.name = "VanishedNamespace";
  }
}

/**
 * The numbers that stand for namespaces in the table of entries.
 *
 * Any connection may remove the row of an empty namespace at any time; a number is never reused. So a remembered number is
 * right if there are entries under it, and may be out of date if there are none: a reader that finds nothing asks
 * `isCurrent`, and inserts refuse a number that no longer exists.
 */
export class Namespaces {
  readonly #select: Sqlite.Statement<[string], number>;
  readonly #exists: Sqlite.Statement<[number], number>;
  readonly #insert: Sqlite.Statement<[string]>;
  readonly #advance: Sqlite.Statement<[]>;
  readonly #within: Sqlite.Statement<[string, string | Buffer, number], readonly [number, string]>;
  readonly #below: Sqlite.Statement<[number, string, string | Buffer, number], readonly [string, 0 | 1]>;
  readonly #transactions: Transactions;
  readonly #ids = new Map<string, number>();
  #last: Namespace | undefined;
  #lastId = 0;

  constructor(db: Sqlite.Database, { namespaces, entries, meta }: Tables, transactions: Transactions) {
    this.#transactions = transactions;
    this.#select = db
      .prepare<[string], number>(`SELECT id FROM ${namespaces} WHERE path = ?`)
      .pluck()
      .safeIntegers(false);
    this.#exists = db
      .prepare<[number], number>(`SELECT 1 FROM ${namespaces} WHERE id = ?`)
      .pluck()
      .safeIntegers(false);
    this.#insert = db.prepare(
      `INSERT INTO ${namespaces} (id, path)
      SELECT max(value, (SELECT coalesce(max(id), 0) + 1 FROM ${namespaces})), ? FROM ${meta} WHERE name = 'namespace'`,
    );
    this.#advance = db.prepare(
      `UPDATE ${meta} SET value = (SELECT max(id) + 1 FROM ${namespaces}) WHERE name = 'namespace'`,
    );
    this.#within = db
      .prepare<[string, string | Buffer, number], readonly [number, string]>(
        `SELECT id, path FROM ${namespaces} WHERE path >= ? AND path < ? ORDER BY path LIMIT ?`,
      )
      .raw()
      .safeIntegers(false);
    this.#below = db
      .prepare<[number, string, string | Buffer, number], readonly [string, 0 | 1]>(
        `SELECT path, EXISTS (
          SELECT 1 FROM ${entries} WHERE namespace = n.id AND (expires_at IS NULL OR expires_at > ?)
        ) FROM ${namespaces} AS n WHERE path > ? AND path < ? ORDER BY path LIMIT ?`,
      )
      .raw()
      .safeIntegers(false);
  }

  /** The remembered number, or else the present one; `undefined`: the namespace is empty. */
  find(namespace: Namespace): number | undefined {
    if (namespace === this.#last) return this.#lastId;
    const id = this.#ids.get(namespace.id);
    if (id === undefined) return this.look(namespace);
    this.#last = namespace;
    this.#lastId = id;
    return id;
  }

  /** The present number. */
  look(namespace: Namespace): number | undefined {
    const id = this.#select.get(namespace.id);
    if (id === undefined) this.forget(namespace);
    else this.#remember(namespace, id);
    return id;
  }

  /** Whether a remembered number still stands for its namespace. */
  isCurrent(id: number): boolean {
    return this.#exists.get(id) !== undefined;
  }

  forget({ id }: Namespace): void {
    this.#ids.delete(id);
    this.#last = undefined;
  }

  /** The namespace's number, assigned now if it has none. Not within a transaction. */
  ensure(namespace: Namespace): number {
    return this.find(namespace) ?? this.#transactions.run(() => this.#make(namespace));
  }

  /** Returns a function that reads the next page of numbers, of a namespace and all below it; `undefined`: the end. */
  within({ id }: Namespace): () => readonly number[] | undefined {
    const end = endOf(id);
    let from: string | undefined = id;
    return () => {
      if (from === undefined) return undefined;
      const rows: (readonly [number, string])[] = this.#within.all(from, end, PAGE);
      const last = rows.at(-1)?.[1];
      from = rows.length < PAGE || last === undefined ? undefined : `${last}\0`;
      return rows.map(([number]) => number);
    };
  }

  /** Returns a function that reads the next page, maybe empty, of namespaces below this one with a live entry; `undefined`: the end. */
  living(under: Namespace, clock: () => number): () => readonly Namespace[] | undefined {
    const end = endOf(under.id);
    let after: string | undefined = under.id;
    return () => {
      if (after === undefined) return undefined;
      const rows = this.#below.all(clock(), after, end, PAGE);
      after = rows.length < PAGE ? undefined : rows.at(-1)?.[0];
      return rows.filter(([, lives]) => lives === 1).map(([path]) => namespaceFromId(path));
    };
  }

  #make(namespace: Namespace): number {
    const there = this.look(namespace);
    if (there !== undefined) return there;
    this.#insert.run(namespace.id);
    this.#advance.run();
    const id = this.#select.get(namespace.id);
    if (id === undefined) throw new Error(`the namespace ${JSON.stringify(namespace.id)} could not be made`);
    // Not remembered yet: the transaction may still fail.
    return id;
  }

  #remember(namespace: Namespace, id: number): void {
    if (this.#ids.size >= REMEMBERED) this.#ids.clear();
    this.#ids.set(namespace.id, id);
    this.#last = namespace;
    this.#lastId = id;
  }
}

/** A BLOB is greater than every text. */
export const BEYOND_TEXT: Buffer = Buffer.alloc(0);

/** The bound that sorts after all paths below this one: `/`, the last character of each path, is followed by `0`. */
function endOf(id: string): string | Buffer {
  return id === "" ? BEYOND_TEXT : `${id.slice(0, -1)}0`;
}
