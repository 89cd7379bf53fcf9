import { delay, monotonicNow, type Timer, timer } from "@kv/core";
import { Database } from "arangojs";
import { ArangoFailure, ERROR, isNumbered, loginRefusal, Scrubber } from "../errors.ts";
import type { Account, Settings } from "../options.ts";
import { answerHook } from "./answer-hook.ts";
import type { BindVars, Query } from "./query.ts";
import { RequestSlots, unsent } from "./request-slots.ts";

/** The most rows of one answer. Every statement limits itself to fewer, so that no cursor stays open at the server. */
const BATCH_SIZE = 100_000;
/** Milliseconds that creating a database, a collection or an index may take: in a cluster many servers have to agree. */
const DEFINITION_MS = 60_000;
/** Milliseconds that arangojs has after the timeout to abandon the request itself. */
const SLACK_MS = 250;
/** The least part of its time that a request must have left when it is sent, or no answer could arrive. */
const LEAST_PART = 0.1;
/** Matches a statement that writes. */
const WRITING = /\b(?:INSERT|UPDATE|REMOVE)\b/;
/** How often a statement is repeated while a server does not know a new collection yet. */
const ROUNDS = 5;

export interface ExecuteOptions {
  /** Seconds after which the server aborts the statement. */
  readonly maxRuntime?: number | undefined;
  /** Milliseconds after which the adapter abandons it. Default: the option `requestTimeout`. */
  readonly timeout?: number | undefined;
}

/** A database of a server: runs statements, and turns failures into errors that may be shown. */
export class Server {
  readonly database: Database;
  /** Creates the database and collections again. */
  onMissing: (() => Promise<unknown>) | undefined;
  /** Called when a request got no answer: the next one may reach another server. */
  onLost: (() => void) | undefined;
  /** Whether the server is part of a cluster, once that is known. */
  isInCluster = false;
  readonly #account: Account | undefined;
  readonly #slots: RequestSlots | undefined;
  readonly #scrubber: Scrubber;
  readonly #timeout: number;
  /** A connection with a longer timeout, for creating databases, collections and indexes. */
  #definitions: Database | undefined;

  constructor({ source, requestTimeout }: Settings) {
    this.#timeout = requestTimeout;
    this.#account = "account" in source ? source.account : undefined;
    this.#slots = "account" in source ? new RequestSlots(source.account.poolSize) : undefined;
    this.database = "account" in source ? connected(source.account, requestTimeout) : source.client;
    const { password, token } = this.#account ?? { password: undefined, token: undefined };
    this.#scrubber = new Scrubber([password, token]);
  }

  /**
   * Returns the rows of a statement. If the database or a collection was removed, it is created again as at the first
   * opening.
   * @throws ArangoFailure, Refusal
   */
  async execute<T>(statement: Query, bindVars: BindVars, options: ExecuteOptions = {}): Promise<T[]> {
    for (let round = 0; ; round++) {
      try {
        return await this.query<T>(statement.text, bindVars, options);
      } catch (error) {
        const missing = isNumbered(error, ERROR.collectionNotFound, ERROR.databaseNotFound);
        if (!missing || this.onMissing === undefined || round === ROUNDS) throw error;
        // In a cluster it takes a moment until every coordinator knows a new collection.
        if (round > 0) await delay(Math.random() * 40 * round);
        await this.onMissing();
      }
    }
  }

  /** Runs any statement once, and does not repair the schema. */
  async query<T>(text: string, bindVars: BindVars, options: ExecuteOptions = {}): Promise<T[]> {
    try {
      return await this.#query(text, bindVars, options);
    } catch (error) {
      // A token has expired, or the password or the user's rights were changed. For a write, the writer finds out whether
      // only writing is forbidden.
      if (!(error instanceof ArangoFailure) || (error.status !== 401 && WRITING.test(text))) throw error;
      throw loginRefusal(error) ?? error;
    }
  }

  #query<T>(text: string, bindVars: BindVars, options: ExecuteOptions): Promise<T[]> {
    const { maxRuntime, timeout = this.#timeout } = options;
    return this.ask(async (left) => {
      // `query` ignores the timeout of the client's configuration, so it is passed each time. The adapter retries conflicts
      // itself, after a pause; and a cached result would be outdated.
      const own = {
        batchSize: BATCH_SIZE,
        cache: false,
        retryOnConflict: 0,
        timeout: left,
        ...(maxRuntime === undefined ? {} : { maxRuntime }),
      };
      try {
        const cursor = await this.database.query<T>(text, bindVars, own);
        return await cursor.all();
      } catch (error) {
        // arangojs misses a property that every answer of a server has.
        if (!(error instanceof TypeError)) throw error;
        throw new Error(
          "the answer does not come from an ArangoDB server; perhaps a proxy answers with its own page",
        );
      }
    }, timeout);
  }

  /** Runs any other call of arangojs within a request's time, and turns its failures into errors that may be shown. */
  async ask<T>(request: (left: number) => Promise<T>, timeout: number = this.#timeout): Promise<T> {
    const end = monotonicNow() + timeout;
    await this.#slots?.acquire(timeout);
    try {
      const left = Math.ceil(end - monotonicNow());
      if (left < timeout * LEAST_PART) throw unsent();
      return await within(request(left), left + SLACK_MS);
    } catch (error) {
      const failure = this.#scrubber.failure(error);
      if (!(failure instanceof ArangoFailure) || failure.status === undefined) this.onLost?.();
      throw failure;
    } finally {
      this.#slots?.release();
    }
  }

  /** Creates a database, a collection or an index, which may take longer than a statement. */
  define<T>(make: (database: Database) => Promise<T>): Promise<T> {
    if (this.#account !== undefined) this.#definitions ??= connected(this.#account, DEFINITION_MS);
    const database = this.#definitions ?? this.database;
    return this.ask(() => make(database), DEFINITION_MS);
  }

  close(): void {
    if (this.#account === undefined) return;
    this.database.close();
    this.#definitions?.close();
  }
}

/** The promise, or a failure when time runs out: arangojs may wait in its own queue, or for the end of an answer. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  let end: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    end = timer(() => {
      reject(new ArangoFailure("the server did not answer in time", "unknown", { code: "ETIMEDOUT" }));
    }, ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    end?.cancel();
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
    // Only requests that never reached a server are sent to the next one.
    maxRetries: urls.length - 1,
    responseQueueTimeSamples: 0,
    afterResponse: answerHook(timeout),
  });
}

/** arangojs encodes each character as one byte, and refuses others; the server expects UTF-8. */
function inBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
