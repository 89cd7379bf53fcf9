import { Database } from "arangojs";
import { ERROR, isNumbered, Scrubber } from "./errors.ts";
import type { Account, Settings } from "./options.ts";
import type { BindVars, Query } from "./query.ts";

/** Rows of one answer at most. Every statement limits itself to fewer, so that no cursor stays open at the server. */
const BATCH_SIZE = 100_000;

export interface ExecuteOptions {
  /** Seconds after which the server gives the statement up. */
  readonly maxRuntime?: number;
}

/** A database of a server: runs statements, and makes of failures what may be shown. */
export class Server {
  readonly database: Database;
  /** Makes database and collections again. */
  onMissing: (() => Promise<unknown>) | undefined;
  readonly #owned: boolean;
  readonly #scrubber: Scrubber;
  readonly #timeout: number;

  constructor({ source, requestTimeout }: Settings) {
    this.#timeout = requestTimeout;
    this.#owned = "account" in source;
    this.database = "account" in source ? connected(source.account, requestTimeout) : source.client;
    const { password, token } =
      "account" in source ? source.account : { password: undefined, token: undefined };
    this.#scrubber = new Scrubber([password, token]);
  }

  /**
   * The rows of a statement. Where somebody has taken the database or a collection away, it is made again, as it was
   * made in the first place.
   * @throws ArangoFailure
   */
  async execute<T>(statement: Query, bindVars: BindVars, options: ExecuteOptions = {}): Promise<T[]> {
    try {
      return await this.query<T>(statement.text, bindVars, options);
    } catch (error) {
      const missing =
        isNumbered(error, ERROR.collectionNotFound) || isNumbered(error, ERROR.databaseNotFound);
      if (!missing || this.onMissing === undefined) throw error;
      await this.onMissing();
      return this.query<T>(statement.text, bindVars, options);
    }
  }

  /** The same of any statement, and only once. */
  async query<T>(text: string, bindVars: BindVars, options: ExecuteOptions = {}): Promise<T[]> {
    return this.ask(async () => {
      // `query` forgets the timeout of the client's configuration, so it is given each time.
      const own = { batchSize: BATCH_SIZE, timeout: this.#timeout, ...options };
      const cursor = await this.database.query<T>(text, bindVars, own);
      return cursor.all();
    });
  }

  /** Whatever else arangojs can do, with its failures made presentable. */
  async ask<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      throw this.#scrubber.failure(error);
    }
  }

  close(): void {
    if (this.#owned) this.database.close();
  }
}

function connected(account: Account, timeout: number): Database {
  const { urls, database, username, password, token, poolSize } = account;
  return new Database({
    url: [...urls],
    databaseName: database,
    auth: token === undefined ? { username: inBytes(username), password: inBytes(password) } : { token },
    poolSize,
    timeout,
    // Only what never reached a server is asked of the next one.
    maxRetries: urls.length - 1,
    responseQueueTimeSamples: 0,
  });
}

/** arangojs encodes a character as a byte, and refuses those that are none. The server wants those of UTF-8. */
function inBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
