import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { ArangoError } from "../errors.ts";
import type { Json, JsonObject } from "../json.ts";
import type { WriteSlots } from "../server/write-slots.ts";
import type { Database } from "../storage/database.ts";
import type { DocumentWrites } from "../storage/document-writes.ts";
import type { ValueOrder } from "../storage/indexes/value-order.ts";
import { Transaction } from "../storage/transaction.ts";
import { checkAccesses, type WriteTargets } from "./access-check.ts";
import { type CompiledQuery, checkBinds, compileQuery } from "./compiled-query.ts";
import { withinLimits } from "./limits.ts";
import { Pause, Run } from "./run.ts";

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

/** When a query began, by the clock of this process, and what time it was on the server. */
interface Begun {
  readonly at: number;
  readonly now: number;
}

/** What queries need of the server. */
export interface QueryServer {
  readonly order: ValueOrder;
  readonly writes: DocumentWrites;
  /** Milliseconds since 1970. */
  readonly time: () => number;
  readonly slots: WriteSlots;
  /** Called after a commit that waits for the disk. */
  readonly synced: () => void;
}

/** Runs queries. A query that writes outside a stream transaction is a transaction of its own: all of it or nothing. */
export class QueryRunner {
  readonly #server: QueryServer;

  constructor(server: QueryServer) {
    this.#server = server;
  }

  async run(input: QueryInput): Promise<QueryResult> {
    const query = compileQuery(input.text);
    const binds = checkBinds(query, input.binds);
    const targets = checkAccesses(query.accesses, input.database, binds);
    if (targets.size > 0 && !input.mayWrite) throw new ArangoError("readOnly");
    if (input.transaction !== undefined) {
      for (const collection of targets.keys()) input.transaction.checkWritable(collection);
      return this.#execute(query, binds, input, input.transaction, this.#begun());
    }
    if (targets.size === 0) {
      const transaction = new Transaction(input.database.everyCollection);
      return this.#execute(query, binds, input, transaction, this.#begun());
    }
    return this.#server.slots.run(() => this.#write(query, binds, input, targets, this.#begun()));
  }

  #begun(): Begun {
    return { at: performance.now(), now: this.#server.time() };
  }

  async #write(
    query: CompiledQuery,
    binds: JsonObject,
    input: QueryInput,
    targets: WriteTargets,
    begun: Begun,
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
        const result = await this.#execute(query, binds, input, transaction, begun);
        await turn();
        transaction.commit();
        if (transaction.waitsForDisk) this.#server.synced();
        return result;
      } finally {
        transaction.release();
      }
    } finally {
      for (const [{ access }] of order) access.release(owner);
    }
  }

  async #execute(
    query: CompiledQuery,
    binds: JsonObject,
    input: QueryInput,
    transaction: Transaction,
    begun: Begun,
  ): Promise<QueryResult> {
    for (let slept = 0; ; slept++) {
      try {
        return this.#attempt(query, binds, input, transaction, begun, slept);
      } catch (error) {
        if (!(error instanceof Pause)) throw error;
        await sleep(error.milliseconds);
      }
    }
  }

  #attempt(
    query: CompiledQuery,
    binds: JsonObject,
    input: QueryInput,
    transaction: Transaction,
    begun: Begun,
    slept: number,
  ): QueryResult {
    const { database, useIndexes, failOnWarning, wantsFullCount } = input;
    const run = new Run({
      database,
      transaction,
      binds,
      order: this.#server.order,
      writes: this.#server.writes,
      useIndexes,
      failOnWarning,
      wantsFullCount,
      now: begun.now,
      slept,
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
        executionTime: (performance.now() - begun.at) / 1000,
        ...(run.fullCount === undefined ? {} : { fullCount: run.fullCount }),
      },
    };
  }
}
