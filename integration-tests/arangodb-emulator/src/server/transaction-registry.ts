import { setImmediate as turn } from "node:timers/promises";
import { ArangoError } from "../errors.ts";
import type { Json } from "../json.ts";
import type { Collection } from "../storage/collection.ts";
import { type Declared, Transaction } from "../storage/transaction.ts";

type Status = "running" | "committed" | "aborted";

interface Entry {
  readonly id: string;
  readonly database: string;
  readonly transaction: Transaction;
  status: Status;
  isBusy: boolean;
  timer: NodeJS.Timeout | undefined;
}

export interface Begin {
  readonly database: string;
  readonly collections: Iterable<Collection>;
  /** The collections that the transaction writes, each with whether it wants it for itself. */
  readonly targets: ReadonlyMap<Collection, boolean>;
  readonly declared: Declared;
  /** Milliseconds to wait for a collection. */
  readonly lockTimeout: number;
}

/** How long the end of a transaction is remembered. */
const rememberedFor = 120_000;

/** Stream transactions by their id. */
export class TransactionRegistry {
  readonly #entries = new Map<string, Entry>();
  readonly #newId: () => string;
  readonly #idleTimeout: number;

  constructor(newId: () => string, idleTimeout: number) {
    this.#newId = newId;
    this.#idleTimeout = idleTimeout;
  }

  /** @throws ArangoError 18 */
  async begin({ database, collections, targets, declared, lockTimeout }: Begin): Promise<string> {
    const owner = {};
    const order = [...targets].sort(([left], [right]) => (left.name < right.name ? -1 : 1));
    let transaction: Transaction;
    try {
      for (const [{ access }, isExclusive] of order) await access.acquire(owner, isExclusive, lockTimeout);
      transaction = new Transaction(collections, declared);
      for (const [{ access }] of order) access.handOver(owner, transaction);
    } catch (error) {
      for (const [{ access }] of order) access.release(owner);
      throw error;
    }
    const entry: Entry = {
      id: this.#newId(),
      database,
      transaction,
      status: "running",
      isBusy: false,
      timer: undefined,
    };
    this.#entries.set(entry.id, entry);
    this.#startTimer(entry);
    return entry.id;
  }

  /** Runs one step. @throws ArangoError 1655, 1654, and 28 where another step is running */
  async use<T>(id: string, database: string, step: (transaction: Transaction) => T | Promise<T>): Promise<T> {
    const entry = this.#find(id, database);
    if (entry.status === "aborted") throw new ArangoError("transactionAborted");
    if (entry.status === "committed") throw notFound(id);
    if (entry.isBusy)
      throw new ArangoError("locked", `cannot access transaction '${id}': it is already in use`);
    entry.isBusy = true;
    clearTimeout(entry.timer);
    try {
      // A step takes a moment, in which a second request finds the transaction in use.
      await turn();
      return await step(entry.transaction);
    } finally {
      entry.isBusy = false;
      if (entry.status === "running") this.#startTimer(entry);
    }
  }

  status(id: string, database: string): Status {
    return this.#find(id, database).status;
  }

  commit(id: string, database: string): void {
    const entry = this.#find(id, database);
    if (entry.status === "committed") return;
    if (entry.status === "aborted") {
      throw new ArangoError("disallowedOperation", `transaction '${id}' was aborted before`);
    }
    if (entry.isBusy) throw new ArangoError("locked", `transaction '${id}' is in use`);
    entry.transaction.commit();
    this.#end(entry, "committed");
  }

  abort(id: string, database: string): void {
    const entry = this.#find(id, database);
    if (entry.status === "aborted") return;
    if (entry.status === "committed") {
      throw new ArangoError("disallowedOperation", `transaction '${id}' was committed before`);
    }
    if (entry.isBusy) throw new ArangoError("locked", `transaction '${id}' is in use`);
    entry.transaction.release();
    this.#end(entry, "aborted");
  }

  list(database: string): Json[] {
    return [...this.#entries.values()]
      .filter((entry) => entry.status === "running" && entry.database === database)
      .map(({ id, status }) => ({ id, state: status }));
  }

  close(): void {
    for (const entry of this.#entries.values()) {
      clearTimeout(entry.timer);
      entry.transaction.release();
    }
    this.#entries.clear();
  }

  #find(id: string, database: string): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.database !== database) throw notFound(id);
    return entry;
  }

  #startTimer(entry: Entry): void {
    clearTimeout(entry.timer);
    entry.timer = setTimeout(() => {
      entry.transaction.release();
      this.#end(entry, "aborted");
    }, this.#idleTimeout);
    entry.timer.unref();
  }

  #end(entry: Entry, status: Status): void {
    clearTimeout(entry.timer);
    entry.status = status;
    entry.timer = setTimeout(() => this.#entries.delete(entry.id), rememberedFor);
    entry.timer.unref();
  }
}

function notFound(id: string): ArangoError {
  return new ArangoError("transactionNotFound", `transaction '${id}' not found`);
}
