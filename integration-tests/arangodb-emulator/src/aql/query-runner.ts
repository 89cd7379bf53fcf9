import { setImmediate as turn } from "node:timers/promises";
import { ArangoError } from "../errors.ts";
import type { Json, JsonObject } from "../json.ts";
import type { Database } from "../storage/database.ts";
import type { DocumentWrites } from "../storage/document-writes.ts";
import { Transaction } from "../storage/transaction.ts";
import type { ValueOrder } from "../storage/value-order.ts";
import { checkAccesses, type WriteTargets } from "./access-check.ts";
import { type CompiledQuery, checkBinds, compileQuery } from "./compiled-query.ts";
import { withinLimits } from "./limits.ts";
import { Run } from "./run.ts";

const lockTimeout = 900_000;

export interface QueryInput {
  readonly text: string;
  readonly binds: Json;
  readonly database: Database;
  /** The stream transaction that the query is a step of. */
  readonly transaction: Transaction | undefined;
  /** Whether the user may write. */
  readonly mayWrite: boolean;
  readonly useIndexes: boolean;
  readonly failOnWarning: boolean;
  readonly wantsFullCount: boolean;
}

export interface QueryResult {
  readonly values: readonly Json[];
  readonly warnings: readonly Json[];
  readonly stats: JsonObject;
}

/** Runs queries. A query that writes outside a stream transaction is a transaction of its own: all of it or nothing. */
export class QueryRunner {
  readonly #order: ValueOrder;
  readonly #writes: DocumentWrites;

  constructor(order: ValueOrder, writes: DocumentWrites) {
    this.#order = order;
    this.#writes = writes;
  }

  async run(input: QueryInput): Promise<QueryResult> {
    const started = performance.now();
    const query = compileQuery(input.text);
    const binds = checkBinds(query, input.binds);
    const targets = checkAccesses(query.accesses, input.database, binds);
    if (targets.size > 0 && !input.mayWrite) throw new ArangoError("readOnly");
    if (input.transaction !== undefined) {
      for (const collection of targets.keys()) input.transaction.checkWritable(collection);
      return this.#execute(query, binds, input, input.transaction, started);
    }
    if (targets.size === 0) {
      return this.#execute(query, binds, input, new Transaction(input.database.everyCollection), started);
    }
    return this.#write(query, binds, input, targets, started);
  }

  async #write(
    query: CompiledQuery,
    binds: JsonObject,
    input: QueryInput,
    targets: WriteTargets,
    started: number,
  ): Promise<QueryResult> {
    const owner = {};
    const order = [...targets].sort(([left], [right]) => (left.name < right.name ? -1 : 1));
    try {
      for (const [{ access }, { isExclusive }] of order)
        await access.acquire(owner, isExclusive, lockTimeout);
      const transaction = new Transaction(input.database.everyCollection);
      try {
        // Between its snapshot and its writes, and between these and the commit, other requests have their turn: that is
        // where the conflicts of a real server come from.
        await turn();
        const result = this.#execute(query, binds, input, transaction, started);
        await turn();
        transaction.commit();
        return result;
      } finally {
        transaction.release();
      }
    } finally {
      for (const [{ access }] of order) access.release(owner);
    }
  }

  #execute(
    query: CompiledQuery,
    binds: JsonObject,
    input: QueryInput,
    transaction: Transaction,
    started: number,
  ): QueryResult {
    const { database, useIndexes, failOnWarning, wantsFullCount } = input;
    const run = new Run({
      database,
      transaction,
      binds,
      order: this.#order,
      writes: this.#writes,
      useIndexes,
      failOnWarning,
      wantsFullCount,
    });
    const values = withinLimits(() => [...query.run(new Array(query.slotCount), run)]);
    return {
      values,
      warnings: run.warnings,
      stats: {
        ...run.stats,
        cursorsCreated: 0,
        cursorsRearmed: 0,
        cacheHits: 0,
        cacheMisses: 0,
        documentLookups: 0,
        seeks: 0,
        httpRequests: 0,
        intermediateCommits: 0,
        peakMemoryUsage: 0,
        executionTime: (performance.now() - started) / 1000,
        ...(run.fullCount === undefined ? {} : { fullCount: run.fullCount }),
      },
    };
  }
}
