import { ArangoError } from "../errors.ts";
import type { Collection } from "../storage/collection.ts";
import { Transaction } from "../storage/transaction.ts";
import type { ServerState } from "./server-state.ts";

const removalsPerCollection = 100_000;

/** The thread that removes what TTL indexes say has expired: now and then, not at once. */
export class Expiry {
  readonly #state: ServerState;
  readonly #timer: NodeJS.Timeout;

  constructor(state: ServerState, frequency: number) {
    this.#state = state;
    this.#timer = setInterval(() => this.#run(), frequency);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #run(): void {
    for (const database of this.#state.databases) {
      for (const collection of database.collections) {
        if (!collection.access.isExclusivelyHeld) removeExpired(collection, this.#state.time.now() / 1000);
      }
    }
  }
}

function removeExpired(collection: Collection, now: number): void {
  const index = collection.state.indexes.find(({ definition }) => definition.type === "ttl");
  if (index === undefined) return;
  const transaction = new Transaction([collection]);
  let left = removalsPerCollection;
  for (const [{ values, key }] of index.entries()) {
    if (Number(values[0]) > now || left-- <= 0) break;
    try {
      transaction.lock(collection, key, false);
      transaction.put(collection, key, undefined);
    } catch (error) {
      // Somebody is writing it at this moment: the next run will see what has become of it.
      if (!(error instanceof ArangoError)) throw error;
    }
  }
  transaction.commit();
}
