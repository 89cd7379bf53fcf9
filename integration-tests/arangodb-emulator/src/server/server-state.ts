import { QueryRunner } from "../aql/query-runner.ts";
import { ArangoError } from "../errors.ts";
import { attributeOf, isArray, type Json, textOf } from "../json.ts";
import { HybridClock } from "../storage/clock.ts";
import { Database } from "../storage/database.ts";
import { DocumentWrites } from "../storage/document-writes.ts";
import { collationOf, type Language } from "../storage/indexes/collation.ts";
import { ValueOrder } from "../storage/indexes/value-order.ts";
import { checkDatabaseName } from "../storage/names.ts";
import { CursorRegistry } from "./cursor-registry.ts";
import { Disk } from "./disk.ts";
import { ServerTime } from "./server-time.ts";
import { TransactionRegistry } from "./transaction-registry.ts";
import { Users } from "./users.ts";
import { WriteSlots } from "./write-slots.ts";

export interface ServerSettings {
  readonly language: Language;
  /** Undefined: requests need no authorization. */
  readonly password: string | undefined;
  readonly useIndexes: boolean;
  /** Milliseconds without a request after which a stream transaction is aborted. */
  readonly transactionIdleTimeout: number;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** How many writing queries run at once. */
  readonly writersAtOnce: number;
}

/** Everything that a server holds. */
export class ServerState {
  readonly settings: ServerSettings;
  readonly time: ServerTime;
  readonly clock: HybridClock;
  readonly writes: DocumentWrites;
  readonly queries: QueryRunner;
  readonly cursors: CursorRegistry;
  readonly transactions: TransactionRegistry;
  readonly users: Users;
  readonly disk: Disk = new Disk();
  readonly #order: ValueOrder;
  readonly #databases = new Map<string, Database>();

  constructor(settings: ServerSettings) {
    this.settings = settings;
    this.time = new ServerTime(settings.clock);
    this.clock = new HybridClock(this.time.now);
    this.#order = new ValueOrder(collationOf(settings.language));
    this.writes = new DocumentWrites(this.clock);
    this.queries = new QueryRunner({
      order: this.#order,
      writes: this.writes,
      time: this.time.now,
      slots: new WriteSlots(settings.writersAtOnce),
      synced: () => this.disk.sync(this.databases),
    });
    this.cursors = new CursorRegistry(() => this.newId());
    this.transactions = new TransactionRegistry(() => this.newId(), settings.transactionIdleTimeout);
    this.users = new Users(settings.password, this.time.now);
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
