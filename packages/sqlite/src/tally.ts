import type { Bounds, MaybePromise } from "@kv/core";
import { SliceSize } from "@kv/core";
import type Sqlite from "better-sqlite3";
import { pause } from "./busy.ts";
import type { Meta } from "./meta.ts";
import { BEYOND_TEXT } from "./namespaces.ts";
import type { Tables } from "./schema.ts";
import { SLICE_MS } from "./slice-time.ts";

export interface Totals {
  readonly keys: number;
  readonly expiring: number;
  readonly evictable: number;
  readonly bytes: number;
}

const NONE: Totals = { keys: 0, expiring: 0, evictable: 0, bytes: 0 };

/** Namespace, from, to, limit. */
type Slice = [number, string, string | Buffer, number];
type Sums = readonly [
  rows: number,
  last: string | null,
  keys: number,
  expiring?: number,
  evictable?: number,
  bytes?: number,
];

/** Counts in slices, between which the event loop gets a turn: SQLite keeps no counts, it walks over what it counts. */
export class Tally {
  readonly #keys: Sqlite.Statement<Slice, Sums>;
  readonly #liveKeys: Sqlite.Statement<[number, ...Slice], Sums>;
  readonly #totals: Sqlite.Statement<[number, ...Slice], Sums>;
  readonly #meta: Meta;
  readonly #clock: () => number;

  constructor(db: Sqlite.Database, { entries }: Tables, meta: Meta, clock: () => number) {
    const slice = (columns: string) =>
      `(SELECT ${columns} FROM ${entries} WHERE namespace = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?)`;
    const live = "expires_at IS NULL OR expires_at > now";
    this.#keys = db
      .prepare<Slice, Sums>(`SELECT count(*), max(key), count(*) FROM ${slice("key")}`)
      .raw()
      .safeIntegers(false);
    this.#liveKeys = db
      .prepare<[number, ...Slice], Sums>(
        `SELECT count(*), max(key), count(*) FILTER (WHERE ${live})
        FROM (SELECT ? AS now) CROSS JOIN ${slice("key, expires_at")}`,
      )
      .raw()
      .safeIntegers(false);
    this.#totals = db
      .prepare<[number, ...Slice], Sums>(
        `SELECT count(*), max(key), count(*) FILTER (WHERE ${live}), count(expires_at) FILTER (WHERE ${live}),
          count(*) FILTER (WHERE evictable AND (${live})), coalesce(sum(bytes) FILTER (WHERE ${live}), 0)
        FROM (SELECT ? AS now) CROSS JOIN ${slice("key, expires_at, evictable, octet_length(value) AS bytes")}`,
      )
      .raw()
      .safeIntegers(false);
    this.#meta = meta;
    this.#clock = clock;
  }

  count(id: number, bounds: Bounds): MaybePromise<number> {
    const totals = this.#total(id, bounds, (slice) => this.#countSlice(slice));
    return totals instanceof Promise ? totals.then(({ keys }) => keys) : totals.keys;
  }

  totals(id: number, bounds: Bounds): MaybePromise<Totals> {
    return this.#total(id, bounds, (slice) => this.#totals.get(this.#clock(), ...slice));
  }

  #countSlice(slice: Slice): Sums | undefined {
    return this.#meta.hasDeadlines() ? this.#liveKeys.get(this.#clock(), ...slice) : this.#keys.get(...slice);
  }

  #total(id: number, bounds: Bounds, sumsOf: (slice: Slice) => Sums | undefined): MaybePromise<Totals> {
    const size = new SliceSize(SLICE_MS, 4096, 256, 2 ** 17);
    const end = bounds.end ?? BEYOND_TEXT;
    let totals = NONE;
    let start: string | undefined = bounds.start;
    const next = () => {
      const limit = size.current;
      const sums = size.measure(() => sumsOf([id, start ?? "", end, limit]));
      if (sums === undefined) throw new Error("an aggregate returned no row");
      totals = plus(totals, sums);
      start = sums[0] < limit ? undefined : `${sums[1]}\0`;
    };
    next();
    if (start === undefined) return totals;
    return (async () => {
      while (start !== undefined) {
        await pause(0);
        next();
      }
      return totals;
    })();
  }
}

function plus(totals: Totals, [, , keys, expiring = 0, evictable = 0, bytes = 0]: Sums): Totals {
  return {
    keys: totals.keys + keys,
    expiring: totals.expiring + expiring,
    evictable: totals.evictable + evictable,
    bytes: totals.bytes + bytes,
  };
}
