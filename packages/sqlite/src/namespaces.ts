import { type Namespace, namespaceFromId } from "@kv/core";
import type Sqlite from "better-sqlite3";
import type { Tables } from "./schema.ts";

/** How many ids are remembered. Programs have few namespaces, or one per tenant. */
const REMEMBERED = 10_000;
const PAGE = 256;

/** The numbers that stand for namespaces in the table of entries. Once given, a number stays. */
export class Namespaces {
  readonly #select: Sqlite.Statement<[string], number>;
  readonly #insert: Sqlite.Statement<[string]>;
  readonly #within: Sqlite.Statement<[string, string | Buffer], number>;
  readonly #living: Sqlite.Statement<[string, string | Buffer, number, number], string>;
  readonly #ids = new Map<string, number>();
  #last: Namespace | undefined;
  #lastId = 0;

  constructor(db: Sqlite.Database, { namespaces, entries }: Tables) {
    this.#select = db
      .prepare<[string], number>(`SELECT id FROM ${namespaces} WHERE path = ?`)
      .pluck()
      .safeIntegers(false);
    this.#insert = db.prepare(`INSERT INTO ${namespaces} (path) VALUES (?) ON CONFLICT DO NOTHING`);
    this.#within = db
      .prepare<[string, string | Buffer], number>(`SELECT id FROM ${namespaces} WHERE path >= ? AND path < ?`)
      .pluck()
      .safeIntegers(false);
    this.#living = db
      .prepare<[string, string | Buffer, number, number], string>(
        `SELECT path FROM ${namespaces} AS n WHERE path > ? AND path < ? AND EXISTS (
          SELECT 1 FROM ${entries} WHERE namespace = n.id AND (expires_at IS NULL OR expires_at > ?)
        ) ORDER BY path LIMIT ?`,
      )
      .pluck();
  }

  /** `undefined`: nothing was ever written into it. */
  find(namespace: Namespace): number | undefined {
    if (namespace === this.#last) return this.#lastId;
    const id = this.#ids.get(namespace.id) ?? this.#select.get(namespace.id);
    if (id !== undefined) this.#remember(namespace, id);
    return id;
  }

  /** Its number, given now if need be. Not within a transaction that may be rolled back. */
  ensure(namespace: Namespace): number {
    const known = this.find(namespace);
    if (known !== undefined) return known;
    this.#insert.run(namespace.id);
    const id = this.find(namespace);
    if (id === undefined) throw new Error(`the namespace ${JSON.stringify(namespace.id)} vanished`);
    return id;
  }

  /** The numbers of a namespace and of all below it. */
  within({ id }: Namespace): number[] {
    return this.#within.all(id, endOf(id));
  }

  /** Those below a namespace that hold a live entry. The function reads the next page; `undefined`: the end. */
  living(under: Namespace, clock: () => number): () => readonly Namespace[] | undefined {
    const end = endOf(under.id);
    let after: string | undefined = under.id;
    return () => {
      if (after === undefined) return undefined;
      const paths = this.#living.all(after, end, clock(), PAGE);
      after = paths.length < PAGE ? undefined : paths.at(-1);
      return paths.length > 0 ? paths.map(namespaceFromId) : undefined;
    };
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

/** What all paths below this one come before: `/`, in which it ends, is followed by `0`. */
function endOf(id: string): string | Buffer {
  return id === "" ? BEYOND_TEXT : `${id.slice(0, -1)}0`;
}
