import { Refusal } from "@kv/core";
import { databaseRefusal } from "../refusals/database-refusal.ts";
import { type Client, databaseOf, isCluster } from "./clients.ts";

export interface AdmissionOptions {
  readonly client: Client;
  /** Whether the client is this adapter's own, and used by no other. */
  readonly isOwn: boolean;
  /** Sends a command through the present connection. */
  readonly ask: (name: string, args: string[]) => Promise<unknown>;
  /** Called before a new connection is used. */
  readonly welcome: () => Promise<void>;
}

/**
 * Ensures that each new connection of a client is in the intended database. The driver does not: it reports a refused SELECT
 * as an event, and continues in database 0.
 */
export class Admission {
  /** The number of the database. */
  readonly db: number;
  readonly #options: AdmissionOptions;
  /** Counts the connections that were lost. */
  #lost = 0;
  #given = false;
  #examination: Promise<void> | undefined;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.db = databaseOf(options.client);
  }

  /** Whether the present connection is known to be in its database, without asking. */
  get isGiven(): boolean {
    return this.#given && this.#isInPlace;
  }

  /** The connection was lost. */
  end(): void {
    this.#lost++;
    this.#given = false;
  }

  /** Checks the present connection, once. @throws Refusal if it is not in its database */
  async give(): Promise<void> {
    this.#assertInPlace();
    if (this.#given) return;
    this.#examination ??= this.#examine().finally(() => {
      this.#examination = undefined;
    });
    await this.#examination;
  }

  async #examine(): Promise<void> {
    const { client, isOwn, welcome } = this.#options;
    for (let seen = -1; seen !== this.#lost; ) {
      seen = this.#lost;
      // A client that was handed in may have been refused its database when it connected.
      if (!isCluster(client) && (this.db !== 0 || !isOwn)) await this.#enter();
      await welcome();
    }
    this.#given = true;
  }

  async #enter(): Promise<void> {
    this.#assertInPlace();
    try {
      await this.#options.ask("SELECT", [String(this.db)]);
    } catch (error) {
      const refusal = databaseRefusal(error, this.db);
      if (refusal === undefined) throw error;
      // A connection without the right to SELECT has always been in database 0.
      if (this.db !== 0) throw refusal;
    }
  }

  /** Whether the owner of a client that was handed in has left it in its original database. */
  get #isInPlace(): boolean {
    const { client } = this.#options;
    return isCluster(client) || (client.condition?.select ?? 0) === this.db;
  }

  #assertInPlace(): void {
    if (this.#isInPlace) return;
    throw new Refusal(
      "KV_UNAVAILABLE",
      `the client was switched from database ${this.db} to another one; switch it back, or hand in a client that only the store uses`,
      { retryable: false },
    );
  }
}
