import { QueryRunner } from "../aql/query-runner.ts";
import { ArangoError } from "../errors.ts";
import { attributeOf, isArray, type Json, textOf } from "../json.ts";
import { HybridClock } from "../storage/clock.ts";
import { collationOf, type Language } from "../storage/collation.ts";
import { Database } from "../storage/database.ts";
import { DocumentWrites } from "../storage/document-writes.ts";
import { checkDatabaseName } from "../storage/names.ts";
import { ValueOrder } from "../storage/value-order.ts";
import { CursorRegistry } from "./cursor-registry.ts";
import { TransactionRegistry } from "./transaction-registry.ts";
import { Users } from "./users.ts";

export interface ServerSettings {
  readonly language: Language;
  /** Undefined: requests need no authorization. */
  readonly password: string | undefined;
  readonly useIndexes: boolean;
  /** Milliseconds without a request after which a stream transaction is aborted. */
  readonly transactionIdleTimeout: number;
}

/** Everything that a server holds. */
export class ServerState {
  readonly settings: ServerSettings;
  readonly clock: HybridClock = new HybridClock();
  readonly writes: DocumentWrites;
  readonly queries: QueryRunner;
  readonly cursors: CursorRegistry;
  readonly transactions: TransactionRegistry;
  readonly users: Users;
  readonly #order: ValueOrder;
  readonly #databases = new Map<string, Database>();

  constructor(settings: ServerSettings) {
    this.settings = settings;
    this.#order = new ValueOrder(collationOf(settings.language));
    this.writes = new DocumentWrites(this.clock);
    this.queries = new QueryRunner(this.#order, this.writes);
    this.cursors = new CursorRegistry(() => this.newId());
    this.transactions = new TransactionRegistry(() => this.newId(), settings.transactionIdleTimeout);
    this.users = new Users(settings.password);
    this.#add("_system");
  }

  newId(): string {
    return String(this.clock.next());
  }

  get databases(): Database[] {
    return [...this.#databases.values()];
  }

  /** @throws ArangoError 1228 */
  database(name: string): Database {
    const found = this.#databases.get(name);
    if (found === undefined) throw new ArangoError("databaseNotFound", `database not found: ${name}`);
    return found;
  }

  /** From the body of `POST /_api/database`. @throws ArangoError 1207, 1229, 1702 */
  createDatabase(body: Json): void {
    const name = checkDatabaseName(attributeOf(body, "name"));
    if (this.#databases.has(name))
      throw new ArangoError("duplicateName", `duplicate name: duplicate database name '${name}'`);
    this.#add(name);
    const users = attributeOf(body, "users");
    for (const user of isArray(users) ? users : []) {
      const username = textOf(user, "username");
      if (!this.users.has(username)) this.users.add(username, textOf(user, "passwd"));
      this.users.grant(username, name, "rw");
    }
  }

  dropDatabase(name: string): void {
    const database = this.database(name);
    if (database.isSystem) throw new ArangoError("forbidden");
    for (const collection of database.collections) database.dropCollection(collection);
    this.#databases.delete(name);
  }

  close(): void {
    this.cursors.close();
    this.transactions.close();
  }

  #add(name: string): void {
    this.#databases.set(name, new Database(name, this.#order, () => this.newId()));
  }
}
