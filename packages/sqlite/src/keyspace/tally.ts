import type { Bounds, MaybePromise, Namespace } from "@kv/core";
import { isPromise, SliceSize } from "@kv/core";
import type Sqlite from "better-sqlite3";
import { pause, SLICE_MS } from "../connection/write-queue.ts";
import type { DeadlineFlag } from "../stored/deadline-flag.ts";
import { BEYOND_TEXT, type Namespaces } from "../stored/namespaces.ts";
import type { Tables } from "../stored/schema.ts";

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

/** Counts in slices, between which the event loop gets a turn: SQLite keeps no counts, and walks over the rows to count them. */
export class Tally {
  readonly #keys: Sqlite.Statement<Slice, Sums>;
  readonly #liveKeys: Sqlite.Statement<[number, ...Slice], Sums>;
  readonly #totals: Sqlite.Statement<[number, ...Slice], Sums>;
  readonly #deadlines: DeadlineFlag;
  readonly #namespaces: Namespaces;
  readonly #read: <T>(work: () => T) => MaybePromise<T>;
  readonly #clock: () => number;

  constructor(
    db: Sqlite.Database,
    { entries }: Tables,
    parts: {
      readonly deadlines: DeadlineFlag;
      readonly namespaces: Namespaces;
      /** Reads, and waits while the database is locked. */
      readonly read: <T>(work: () => T) => MaybePromise<T>;
    },
    clock: () => number,
  ) {
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
    this.#deadlines = parts.deadlines;
    this.#namespaces = parts.namespaces;
    this.#read = parts.read;
    this.#clock = clock;
  }

  count(namespace: Namespace, bounds: Bounds): MaybePromise<number> {
    const totals = this.#total(namespace, bounds, (slice) => this.#countSlice(slice));
    return isPromise(totals) ? totals.then(({ keys }) => keys) : totals.keys;
  }

  totals(namespace: Namespace, bounds: Bounds): MaybePromise<Totals> {
    return this.#total(namespace, bounds, (slice) => this.#totals.get(this.#clock(), ...slice));
  }

  #countSlice(slice: Slice): Sums | undefined {
    return this.#deadlines.isRaised()
      ? this.#liveKeys.get(this.#clock(), ...slice)
      : this.#keys.get(...slice);
  }

  #total(
    namespace: Namespace,
    bounds: Bounds,
    sumsOf: (slice: Slice) => Sums | undefined,
  ): MaybePromise<Totals> {
    const size = new SliceSize(SLICE_MS, 4096, 256, 2 ** 17);
    const end = bounds.end ?? BEYOND_TEXT;
    let totals = NONE;
    let start: string | undefined = bounds.start;
    /** Adds the next slice. Returns whether there is another one. */
    const next = (): boolean => {
      const id = this.#namespaces.look(namespace);
      if (id === undefined) return false;
      const limit = size.current;
      const sums = size.measure(() => sumsOf([id, start ?? "", end, limit]));
      if (sums === undefined) throw new Error("an aggregate returned no row");
      totals = plus(totals, sums);
      start = `${sums[1]}\0`;
      return sums[0] >= limit;
    };
    const first = this.#read(next);
    if (first === false) return totals;
    return (async () => {
      for (let more = await first; more; more = await this.#read(next)) await pause(0);
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
