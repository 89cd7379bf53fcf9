import type { Range, StoredEntry } from "@kv/core";
import { isBytes } from "@kv/core";
import type Sqlite from "better-sqlite3";
import type { DeadlineFlag } from "../stored/deadline-flag.ts";
import {
  COLUMNS,
  isExpired,
  KEY,
  type KeyedRow,
  liveEntryOf,
  livePayloadOf,
  PAYLOAD_COLUMNS,
  PayloadEntry,
  type PayloadRow,
  type Row,
} from "../stored/entry.ts";
import { BEYOND_TEXT } from "../stored/namespaces.ts";
import type { Revisions } from "../stored/revisions.ts";
import type { Tables } from "../stored/schema.ts";

/** Rows of the very first page, when the length of the values is not known yet, and the most rows of any page. */
const FIRST = 64;
const MOST = 512;
/** Characters or bytes of values that a page should not exceed by much. */
const PAGE_SIZE = 2 ** 20;

/** Namespace, from, to, limit. The end of an open range is a BLOB, which sorts after every text. */
type Between = [number, string, string | Buffer, number];
type KeyedPayload = readonly [...row: PayloadRow, key: string];
const PAYLOAD_KEY = 4;
type Key = readonly [key: string, expiresAt?: number | null];

interface Selects {
  readonly rows: Sqlite.Statement<Between, KeyedRow>;
  readonly payloads: Sqlite.Statement<Between, KeyedPayload>;
  readonly keys: Sqlite.Statement<Between, Key>;
  /** Answered by the index alone. */
  readonly keysWithoutDeadlines: Sqlite.Statement<Between, Key>;
}

/** Reads ranges in pages, each by a statement of its own that continues behind the last key: nothing stays open in between. */
export class Scanner {
  readonly #ascending: Selects;
  readonly #descending: Selects;
  readonly #deadlines: DeadlineFlag;
  readonly #revisions: Revisions;
  readonly #clock: () => number;
  /** Rows for the next page of values, adapted to the size of the last one. */
  #size = FIRST;

  constructor(
    db: Sqlite.Database,
    tables: Tables,
    parts: { readonly deadlines: DeadlineFlag; readonly revisions: Revisions },
    clock: () => number,
  ) {
    this.#ascending = selects(db, tables, "ASC");
    this.#descending = selects(db, tables, "DESC");
    this.#deadlines = parts.deadlines;
    this.#revisions = parts.revisions;
    this.#clock = clock;
  }

  /** Returns a function that reads a namespace's next page: empty if all its rows have expired, `undefined` at the end. */
  pages(id: number, range: Range): () => readonly StoredEntry[] | undefined {
    const { keysOnly, payloadsOnly, reverse } = range;
    let { start } = range;
    let end: string | Buffer = range.end ?? BEYOND_TEXT;
    let wanted = range.limit;
    return () => {
      if (wanted <= 0) return undefined;
      const limit = Math.min(keysOnly ? MOST : this.#size, wanted);
      const rows = keysOnly
        ? this.#keys(reverse, [id, start, end, limit])
        : payloadsOnly === true
          ? this.#payloads(reverse, [id, start, end, limit])
          : this.#rows(reverse, [id, start, end, limit]);
      wanted -= rows.entries.length;
      if (rows.read < limit || rows.last === undefined) wanted = 0;
      else if (reverse) end = rows.last;
      else start = `${rows.last}\0`;
      return rows.read > 0 ? rows.entries : undefined;
    };
  }

  #rows(reverse: boolean, between: Between): Page {
    const entries: StoredEntry[] = [];
    const rows = (reverse ? this.#descending : this.#ascending).rows.all(...between);
    const [id] = between;
    let bytes = 0;
    for (const row of rows) {
      bytes += lengthOf(row[0]);
      const entry = liveEntryOf(id, row[KEY], row as unknown as Row, this.#revisions, this.#clock);
      if (entry !== undefined) entries.push(entry);
    }
    this.#resize(rows.length, bytes);
    return { entries, read: rows.length, last: rows.at(-1)?.[KEY] };
  }

  #payloads(reverse: boolean, between: Between): Page {
    const entries: StoredEntry[] = [];
    const rows = (reverse ? this.#descending : this.#ascending).payloads.all(...between);
    const [id] = between;
    let bytes = 0;
    for (const row of rows) {
      bytes += lengthOf(row[0]);
      const entry = livePayloadOf(id, row[PAYLOAD_KEY], row as unknown as PayloadRow, this.#clock);
      if (entry !== undefined) entries.push(entry);
    }
    this.#resize(rows.length, bytes);
    return { entries, read: rows.length, last: rows.at(-1)?.[PAYLOAD_KEY] };
  }

  /** Pages of values are as long as their bytes allow. */
  #resize(rows: number, bytes: number): void {
    if (rows > 0) this.#size = Math.min(MOST, Math.ceil((PAGE_SIZE * rows) / (bytes + 1)));
  }

  #keys(reverse: boolean, between: Between): Page {
    const entries: StoredEntry[] = [];
    const { keys, keysWithoutDeadlines } = reverse ? this.#descending : this.#ascending;
    const rows = (this.#deadlines.isRaised() ? keys : keysWithoutDeadlines).all(...between);
    for (const [key, expiresAt = null] of rows) {
      if (!isExpired(expiresAt, this.#clock)) entries.push(new PayloadEntry(key, "", "json"));
    }
    return { entries, read: rows.length, last: rows.at(-1)?.[0] };
  }
}

/** 0 for anything but text and bytes: in a damaged file a value may be of any type. */
function lengthOf(value: unknown): number {
  return typeof value === "string" || isBytes(value) ? value.length : 0;
}

interface Page {
  readonly entries: readonly StoredEntry[];
  /** How many rows were read, expired ones included. */
  readonly read: number;
  readonly last: string | undefined;
}

function selects(db: Sqlite.Database, { entries }: Tables, order: "ASC" | "DESC"): Selects {
  const select = <R>(columns: string): Sqlite.Statement<Between, R> =>
    db
      .prepare<Between, R>(
        `SELECT ${columns} FROM ${entries} WHERE namespace = ? AND key >= ? AND key < ? ORDER BY key ${order} LIMIT ?`,
      )
      .raw()
      .safeIntegers(false);
  return {
    rows: select(`${COLUMNS.join(", ")}, key`),
    payloads: select(`${PAYLOAD_COLUMNS.join(", ")}, key`),
    keys: select("key, expires_at"),
    keysWithoutDeadlines: select("key"),
  };
}
