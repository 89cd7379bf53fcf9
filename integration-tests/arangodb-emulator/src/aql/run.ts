import { ArangoError, type ErrorName, numberOf } from "../errors.ts";
import { attributeOf, type Json, type JsonObject } from "../json.ts";
import type { Collection } from "../storage/collection.ts";
import type { CollectionState } from "../storage/collection-state.ts";
import type { Database } from "../storage/database.ts";
import type { DocumentWrites } from "../storage/document-writes.ts";
import type { ValueOrder } from "../storage/indexes/value-order.ts";
import type { Transaction } from "../storage/transaction.ts";
import type { DataSource } from "./ast.ts";

/** The variables of a query at one moment, by slot. */
export type Row = (Json | undefined)[];
export type Evaluate = (row: Row, run: Run) => Json;
/** A clause: rows in, rows out. `start` is the row that its block began with. */
export type Operator = (rows: Iterable<Row>, run: Run, start: Row) => Iterable<Row>;

const maxWarnings = 10;

/** Ends one attempt to run a query, until its pause is over. */
export class Pause extends Error {
  readonly milliseconds: number;

  constructor(milliseconds: number) {
    super("a query pauses");
    this.milliseconds = milliseconds;
  }
}

export interface RunOptions {
  readonly database: Database;
  readonly transaction: Transaction;
  readonly binds: JsonObject;
  readonly order: ValueOrder;
  readonly writes: DocumentWrites;
  /** False runs every scan over the whole collection, for comparison. */
  readonly useIndexes: boolean;
  readonly failOnWarning: boolean;
  readonly wantsFullCount: boolean;
  /** Milliseconds since 1970 when the query was optimized: before it waited for collections, and before its snapshot. */
  readonly now: number;
  /** The pauses that it has made before, when it ran up to the next one. */
  readonly slept: number;
}

/** One execution of a query. */
export class Run {
  readonly database: Database;
  readonly transaction: Transaction;
  readonly order: ValueOrder;
  readonly writes: DocumentWrites;
  readonly useIndexes: boolean;
  readonly now: number;
  readonly warnings: JsonObject[] = [];
  readonly stats = { writesExecuted: 0, writesIgnored: 0, scannedFull: 0, scannedIndex: 0, filtered: 0 };
  /** Pauses that are behind it. */
  #slept: number;
  /** How many rows there would have been without the last LIMIT; undefined where nobody asks. */
  fullCount: number | undefined;
  /** SORT clauses that an index has already done. */
  readonly presorted = new Set<object>();
  /** Conditions that an index decides instead of the FILTER. */
  readonly decided = new Set<object>();
  readonly #binds: JsonObject;
  readonly #failOnWarning: boolean;
  readonly #stateOf: (collection: Collection) => CollectionState;

  constructor(options: RunOptions) {
    this.database = options.database;
    this.transaction = options.transaction;
    this.order = options.order;
    this.writes = options.writes;
    this.useIndexes = options.useIndexes;
    this.now = options.now;
    this.#slept = options.slept;
    this.#binds = options.binds;
    this.#failOnWarning = options.failOnWarning;
    this.#stateOf = options.transaction.stateAtQueryStart();
    if (options.wantsFullCount) this.fullCount = 0;
  }

  bind(name: string): Json {
    return attributeOf(this.#binds, name);
  }

  collection(source: DataSource): Collection {
    return this.database.collection(nameOf(source, this.#binds));
  }

  /** What the query reads of a collection. */
  stateOf(collection: Collection): CollectionState {
    return this.#stateOf(collection);
  }

  /**
   * Pauses, which what runs without turns of the event loop cannot: the query is begun again after the pause, on the same
   * snapshot, and does not pause here again.
   * @throws Pause
   */
  sleep(milliseconds: number): void {
    if (this.#slept > 0) this.#slept--;
    else if (this.stats.writesExecuted > 0)
      throw new ArangoError("notImplemented", "SLEEP behind a write is not covered by this emulator");
    else throw new Pause(milliseconds);
  }

  warn(kind: ErrorName, message: string): void {
    if (this.#failOnWarning) throw new ArangoError(kind, message);
    if (this.warnings.length < maxWarnings) this.warnings.push({ code: numberOf(kind), message });
  }
}

/** The name of a collection that a query names. @throws ArangoError 1553 where the bind value is no name */
export function nameOf(source: DataSource, binds: JsonObject): string {
  if (source.kind === "collection") return source.name;
  const name = attributeOf(binds, bindNameOf(source.name));
  if (typeof name === "string" && name !== "") return name;
  throw new ArangoError(
    "bindType",
    `bind parameter '${bindNameOf(source.name)}' has an invalid value or type, expecting a collection name`,
  );
}

/** Collection parameters keep their second `@` in `bindVars`; a plain one in the place of a collection does not. */
export function bindNameOf(name: string): string {
  return name.startsWith("\0") ? name.slice(1) : `@${name}`;
}
