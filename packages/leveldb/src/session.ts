import { Refusal, Watchers } from "@kv/core";
import { BackupWriter } from "./backup/backup-writer.ts";
import { type Connection, connect } from "./connection/connection.ts";
import type { Custody } from "./connection/custody.ts";
import { Driver } from "./connection/driver.ts";
import { Eraser } from "./keyspace/eraser.ts";
import { Namespaces } from "./keyspace/namespaces.ts";
import { Sweeper } from "./keyspace/sweeper.ts";
import { Tally } from "./keyspace/tally.ts";
import { type Settings, VERIFY_UP_TO } from "./options.ts";
import { Reader } from "./read/reader.ts";
import { Scanner } from "./read/scanner.ts";
import { ExpiryIndex } from "./stored/expiry-index.ts";
import { Layout } from "./stored/layout.ts";
import { Revisions } from "./stored/revisions.ts";
import { Committer } from "./write/committer.ts";
import { HeaderCache } from "./write/header-cache.ts";
import { Recovery } from "./write/recovery.ts";
import { WriteQueue } from "./write/write-queue.ts";

/**
 * What exists from `open` to `close`. How operations travel:
 *
 * - read: `adapter.ts` → `read/reader.ts` → `connection/driver.ts`, without waiting → `stored/` decodes the entry.
 * - commit: `adapter.ts` → `write/write-queue.ts` → `write/committer.ts`, in the batch's `write/workspace.ts`, over
 *   `stored/` → one write of `connection/driver.ts` → watchers. `write/recovery.ts` acts when that write fails.
 * - range: `adapter.ts` → `read/scanner.ts`, a snapshot's pages → `stored/`. `keyspace/` counts, clears and sweeps.
 */
export class Session {
  readonly reader: Reader;
  readonly scanner: Scanner;
  readonly tally: Tally;
  readonly namespaces: Namespaces;
  readonly committer: Committer;
  readonly eraser: Eraser;
  readonly sweeper: Sweeper;
  readonly backups: BackupWriter;
  readonly queue: WriteQueue;
  readonly recovery: Recovery;
  readonly custody: Custody;
  readonly watchers: Watchers = new Watchers();
  readonly #connection: Connection;
  readonly #driver: Driver;

  static async open(settings: Settings): Promise<Session> {
    const connection = await connect(settings);
    try {
      const layout = new Layout(settings.prefix);
      const driver = new Driver(connection.db, settings.durability === "full");
      const revisions = await revisionsOf(driver, layout);
      return new Session(settings, connection, driver, layout, revisions);
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  private constructor(
    { clock, where }: Settings,
    connection: Connection,
    driver: Driver,
    layout: Layout,
    revisions: Revisions,
  ) {
    const index = new ExpiryIndex(layout);
    const cache = new HeaderCache();
    this.#connection = connection;
    this.#driver = driver;
    this.custody = connection.custody;
    // Watchers must then read again.
    const resync = () => this.watchers.resync();
    this.custody.onTurn = resync;
    this.recovery = new Recovery(connection, () => driver.close(), resync);
    const { watchers } = this;
    this.queue = new WriteQueue({ driver, layout, cache, revisions, index, watchers, clock }, this.recovery);
    this.reader = new Reader(driver, layout, clock);
    this.scanner = new Scanner(driver, layout, index, clock);
    this.tally = new Tally(driver, layout, index, clock);
    this.namespaces = new Namespaces(driver, layout, clock);
    this.committer = new Committer(layout);
    this.eraser = new Eraser(driver, layout, this.queue);
    this.sweeper = new Sweeper({ driver, layout, index, queue: this.queue }, clock);
    const verifyUpTo = "database" in where ? VERIFY_UP_TO : where.verifyUpTo;
    this.backups = new BackupWriter(driver, layout, clock, verifyUpTo);
  }

  /** The engine's description of itself, for `stats`. */
  describe(): Record<string, string | number> {
    const { db, path } = this.#connection;
    const described = { engine: "LevelDB", path };
    if (!("getProperty" in db) || typeof db.getProperty !== "function") return described;
    const memory: unknown = db.getProperty("leveldb.approximate-memory-usage");
    return { ...described, memoryBytes: Number(memory) };
  }

  async close(): Promise<void> {
    this.sweeper.stop();
    await this.queue.idle();
    await this.#driver.close();
    await this.#connection.close();
  }
}

/** @throws Refusal if the stored data are not ours, or of a newer version */
async function revisionsOf(driver: Driver, layout: Layout): Promise<Revisions> {
  const record = driver.getText(layout.meta);
  if (record === undefined && (await isTaken(driver, layout))) {
    throw new Refusal(
      "KV_UNSUPPORTED",
      `the database has keys that begin with ${JSON.stringify(layout.whole.gte)} and that @kv/leveldb did not write; they are left alone: choose another prefix`,
    );
  }
  return new Revisions(layout.meta, record);
}

async function isTaken(driver: Driver, layout: Layout): Promise<boolean> {
  const snapshot = driver.snapshot();
  try {
    const found = await snapshot.iterate(layout.whole, { values: false }).nextv(1);
    return found.length > 0;
  } finally {
    await snapshot.close();
  }
}
