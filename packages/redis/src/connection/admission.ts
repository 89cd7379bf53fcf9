import { Refusal } from "@kv/core";
import { databaseRefusal } from "../refusals/database-refusal.ts";
import { type Client, databaseOf, isCluster } from "./clients.ts";

export interface AdmissionOptions {
  readonly client: Client;
  /** Whether the client is this adapter's own, and used by no other. */
  readonly isOwn: boolean;
  /** Sends a command through the present connection. */
  readonly ask: (name: string, args: string[]) => Promise<unknown>;
  /** What else is to be done before a new connection is used. */
  readonly welcome: () => Promise<void>;
}

/**
 * Makes sure, for each connection that a client makes, that it is in the database that is meant. The driver does not: it
 * reports a SELECT that the server refuses as an event, and goes on in database 0.
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

  /** Whether the present connection is what was asked for, as far as is known without asking. */
  get isGiven(): boolean {
    return this.#given && this.#isInPlace;
  }

  /** The connection was lost. */
  end(): void {
    this.#lost++;
    this.#given = false;
  }

  /** Asks, where that has not been done. @throws Refusal where it is not what was asked for */
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
      // A client that was handed in may not have been let into its database when it connected.
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
      // A connection that may not SELECT was never anywhere but in the first database.
      if (this.db !== 0) throw refusal;
    }
  }

  /** Whether the owner of a client that was handed in has left it in the database that it was in. */
  get #isInPlace(): boolean {
    const { client } = this.#options;
    return isCluster(client) || (client.condition?.select ?? 0) === this.db;
  }

  #assertInPlace(): void {
    if (this.#isInPlace) return;
    throw new Refusal(
      "KV_UNAVAILABLE",
      `the client was switched from database ${this.db} to another one; switch it back, or hand in a client for the store alone`,
      { retryable: false },
    );
  }
}
