import type { Namespace, StoredEntry } from "@kv/core";
import type Sqlite from "better-sqlite3";
import type { TurnSnapshot } from "../connection/turn-snapshot.ts";
import {
  COLUMNS,
  liveEntryOf,
  livePayloadOf,
  PAYLOAD_COLUMNS,
  type PayloadRow,
  type Row,
} from "../stored/entry.ts";
import type { Namespaces } from "../stored/namespaces.ts";
import type { Revisions } from "../stored/revisions.ts";
import type { Tables } from "../stored/schema.ts";

/** The most keys that one statement is given: it holds all the rows it reads in memory. */
const CHUNK = 1024;

type RowAt = readonly [...row: Row, index: number];
const INDEX = 10;

type PayloadAt = readonly [...row: PayloadRow, index: number];
const PAYLOAD_INDEX = 4;

/** After reading a row the fast query does not cover, how many further reads skip the fast query. */
const PAUSE = 32;

/** Reads entries by key. */
export class Reader {
  readonly #one: Sqlite.Statement<[number, string], Row>;
  /** The fast query: it has the value only if the row is JSON without a deadline, else NULL. Every column costs. */
  readonly #ordinary: Sqlite.Statement<[number, string], readonly [value: string | null, checksum: number]>;
  readonly #payloadOf: Sqlite.Statement<[number, string], PayloadRow>;
  readonly #many: Sqlite.Statement<[string, number], RowAt>;
  readonly #payloads: Sqlite.Statement<[string, number], PayloadAt>;
  readonly #namespaces: Namespaces;
  readonly #revisions: Revisions;
  readonly #snapshot: TurnSnapshot;
  readonly #clock: () => number;
  #pause = 0;
  /** The snapshot in which a namespace was last found to exist, and its number. */
  #lookedIn: symbol | undefined;
  #foundCurrent = 0;

  constructor(
    db: Sqlite.Database,
    tables: Tables,
    parts: {
      readonly namespaces: Namespaces;
      readonly revisions: Revisions;
      readonly snapshot: TurnSnapshot;
    },
    clock: () => number,
  ) {
    const one = <R>(columns: string) =>
      db.prepare<[number, string], R>(
        `SELECT ${columns} FROM ${tables.entries} WHERE namespace = ? AND key = ?`,
      );
    // CROSS JOIN keeps the order of the tables: the keys are looked up one by one.
    const many = <R>(columns: readonly string[]) =>
      db
        .prepare<[string, number], R>(
          `SELECT ${columns.map((column) => `e.${column}`).join(", ")}, k.key
          FROM json_each(?) AS k CROSS JOIN ${tables.entries} AS e
          WHERE e.namespace = ? AND e.key = k.value`,
        )
        .raw()
        .safeIntegers(false);
    this.#one = one<Row>(COLUMNS.join(", ")).raw().safeIntegers(false);
    this.#payloadOf = one<PayloadRow>(PAYLOAD_COLUMNS.join(", ")).raw().safeIntegers(false);
    this.#ordinary = one<readonly [string | null, number]>(
      "iif(encoding = 'json' AND expires_at IS NULL, value, NULL), checksum",
    )
      .raw()
      .safeIntegers(false);
    this.#many = many<RowAt>(COLUMNS);
    this.#payloads = many<PayloadAt>(PAYLOAD_COLUMNS);
    this.#namespaces = parts.namespaces;
    this.#revisions = parts.revisions;
    this.#snapshot = parts.snapshot;
    this.#clock = clock;
  }

  /** With `payloadsOnly`, only `key`, `payload` and `encoding` of the entries are valid. */
  read(namespace: Namespace, keys: readonly string[], payloadsOnly: boolean): (StoredEntry | undefined)[] {
    this.#snapshot.enter();
    const id = this.#namespaces.find(namespace);
    if (id === undefined) return keys.map(() => undefined);
    const [key] = keys;
    if (keys.length === 1 && key !== undefined) {
      const entry = payloadsOnly ? this.#payload(id, key) : this.#entry(id, key);
      return entry !== undefined || this.#isCurrent(id) ? [entry] : this.#anew(namespace, keys, payloadsOnly);
    }
    const entries = this.#entries(id, keys, payloadsOnly);
    return !entries.includes(undefined) || this.#isCurrent(id)
      ? entries
      : this.#anew(namespace, keys, payloadsOnly);
  }

  /** Reads again under the namespace's present number, in case it was removed and made anew. */
  #anew(namespace: Namespace, keys: readonly string[], payloadsOnly: boolean): (StoredEntry | undefined)[] {
    const id = this.#namespaces.look(namespace);
    return id === undefined ? keys.map(() => undefined) : this.#entries(id, keys, payloadsOnly);
  }

  /** As `Namespaces.isCurrent`, asked once for all reads that share a snapshot. */
  #isCurrent(id: number): boolean {
    const { held } = this.#snapshot;
    if (held !== undefined && held === this.#lookedIn && id === this.#foundCurrent) return true;
    if (!this.#namespaces.isCurrent(id)) return false;
    this.#lookedIn = held;
    this.#foundCurrent = id;
    return true;
  }

  #entry(id: number, key: string): StoredEntry | undefined {
    const row = this.#one.get(id, key);
    return row && liveEntryOf(id, key, row, this.#revisions, this.#clock);
  }

  #payload(id: number, key: string): StoredEntry | undefined {
    if (this.#pause > 0) {
      this.#pause--;
      return this.#anyPayload(id, key);
    }
    const row = this.#ordinary.get(id, key);
    if (row === undefined) return undefined;
    const value = row[0];
    if (value !== null) return livePayloadOf(id, key, [value, "json", null, row[1]], this.#clock);
    // More such rows are likely to follow.
    this.#pause = PAUSE;
    return this.#anyPayload(id, key);
  }

  #anyPayload(id: number, key: string): StoredEntry | undefined {
    const row = this.#payloadOf.get(id, key);
    return row && livePayloadOf(id, key, row, this.#clock);
  }

  #entries(id: number, keys: readonly string[], payloadsOnly: boolean): (StoredEntry | undefined)[] {
    const entries = new Array<StoredEntry | undefined>(keys.length).fill(undefined);
    for (let from = 0; from < keys.length; from += CHUNK) {
      const chunk = keys.length <= CHUNK ? keys : keys.slice(from, from + CHUNK);
      const json = JSON.stringify(chunk);
      if (payloadsOnly) {
        for (const row of this.#payloads.all(json, id)) {
          const at = from + row[PAYLOAD_INDEX];
          const key = keys[at];
          if (key !== undefined)
            entries[at] = livePayloadOf(id, key, row as unknown as PayloadRow, this.#clock);
        }
      } else {
        for (const row of this.#many.all(json, id)) {
          const at = from + row[INDEX];
          const key = keys[at];
          if (key !== undefined)
            entries[at] = liveEntryOf(id, key, row as unknown as Row, this.#revisions, this.#clock);
        }
      }
    }
    return entries;
  }
}
