import type { Namespace, StoredEntry } from "@kv/core";
import type Sqlite from "better-sqlite3";
import { COLUMNS, isExpired, type Row, SqliteEntry } from "./entry.ts";
import type { Namespaces } from "./namespaces.ts";
import type { Tables } from "./schema.ts";
import type { TurnSnapshot } from "./turn-snapshot.ts";

/** As many keys as one statement is given: what it reads is held at once. */
const CHUNK = 1024;

type RowAt = readonly [...row: Row, index: number];
const INDEX = 8;

/** Reads entries by key. */
export class Reader {
  readonly #one: Sqlite.Statement<[number, string], Row>;
  readonly #many: Sqlite.Statement<[string, number], RowAt>;
  readonly #namespaces: Namespaces;
  readonly #snapshot: TurnSnapshot;
  readonly #clock: () => number;

  constructor(
    db: Sqlite.Database,
    tables: Tables,
    namespaces: Namespaces,
    snapshot: TurnSnapshot,
    clock: () => number,
  ) {
    this.#one = db
      .prepare<[number, string], Row>(
        `SELECT ${COLUMNS.join(", ")} FROM ${tables.entries} WHERE namespace = ? AND key = ?`,
      )
      .raw()
      .safeIntegers(false);
    // CROSS JOIN keeps the order of the tables: the keys are looked up one by one.
    this.#many = db
      .prepare<[string, number], RowAt>(
        `SELECT ${COLUMNS.map((column) => `e.${column}`).join(", ")}, k.key
        FROM json_each(?) AS k CROSS JOIN ${tables.entries} AS e
        WHERE e.namespace = ? AND e.key = k.value`,
      )
      .raw()
      .safeIntegers(false);
    this.#namespaces = namespaces;
    this.#snapshot = snapshot;
    this.#clock = clock;
  }

  read(namespace: Namespace, keys: readonly string[]): (StoredEntry | undefined)[] {
    this.#snapshot.enter();
    const id = this.#namespaces.find(namespace);
    if (id === undefined) return keys.map(() => undefined);
    const [key] = keys;
    if (keys.length === 1 && key !== undefined) return [this.#entry(id, key)];
    return this.#entries(id, keys);
  }

  #entry(id: number, key: string): SqliteEntry | undefined {
    const row = this.#one.get(id, key);
    if (row === undefined || isExpired(row[5], this.#clock)) return undefined;
    return new SqliteEntry(key, row);
  }

  #entries(id: number, keys: readonly string[]): (StoredEntry | undefined)[] {
    const entries = new Array<StoredEntry | undefined>(keys.length).fill(undefined);
    for (let from = 0; from < keys.length; from += CHUNK) {
      const chunk = keys.length <= CHUNK ? keys : keys.slice(from, from + CHUNK);
      const json = JSON.stringify(chunk);
      for (const row of this.#many.all(json, id)) {
        const at = from + row[INDEX];
        const key = keys[at];
        if (key !== undefined && !isExpired(row[5], this.#clock))
          entries[at] = new SqliteEntry(key, row as unknown as Row);
      }
    }
    return entries;
  }
}
