import { statSync } from "node:fs";
import { isAbsolute } from "node:path";
import type Sqlite from "better-sqlite3";
import type { BackupOptions, BackupReport } from "./backup/backup.ts";
import { writeBackup } from "./backup/backup-writer.ts";
import { connect, ownersTransaction } from "./connection/connection.ts";
import { FileGuard, type Guard } from "./connection/file-guard.ts";
import { fileOf, isInWalMode, Lineage } from "./connection/lineage.ts";
import { Transactions } from "./connection/transactions.ts";
import { TurnSnapshot } from "./connection/turn-snapshot.ts";
import { WriteQueue } from "./connection/write-queue.ts";
import { Clearing } from "./keyspace/clearing.ts";
import { Eraser } from "./keyspace/eraser.ts";
import { ExpiredRows } from "./keyspace/expired-rows.ts";
import { Sweeper } from "./keyspace/sweeper.ts";
import { Tally } from "./keyspace/tally.ts";
import { Vacated } from "./keyspace/vacated.ts";
import type { Settings } from "./options.ts";
import { Reader } from "./read/reader.ts";
import { Scanner } from "./read/scanner.ts";
import { DeadlineFlag } from "./stored/deadline-flag.ts";
import { Namespaces } from "./stored/namespaces.ts";
import { Revisions } from "./stored/revisions.ts";
import { tablesOf } from "./stored/schema.ts";
import { ChangeFeed } from "./watch/change-feed.ts";
import { ChangeLog } from "./watch/change-log.ts";
import { feedsOf } from "./watch/connection-feeds.ts";
import { RetiredBlocks } from "./write/retired-blocks.ts";
import { RevisionBlocks } from "./write/revision-blocks.ts";
import { Writer } from "./write/writer.ts";

/** Bytes of write-ahead log above which a sweep tries to restart it. SQLite itself does so at 4 MB, unless some reader is always active. */
const LARGE_LOG = 64 * 2 ** 20;

/**
 * What exists from `open` to `close`. How operations travel:
 *
 * - read: `adapter.ts` → `read/reader.ts`, in the turn's snapshot (`connection/turn-snapshot.ts`) → `stored/` decodes the
 *   row. Only a locked database makes it wait, in `connection/write-queue.ts`.
 * - commit: `adapter.ts` → `connection/write-queue.ts`, one transaction a batch → `write/writer.ts` over `stored/`, with
 *   revisions out of `write/revision-blocks.ts` → the feeds in `watch/` are notified.
 * - range: `adapter.ts` → `read/pages.ts` → `read/scanner.ts`, a page at a time → `stored/`. `keyspace/` counts, clears
 *   and sweeps, in slices.
 */
export class Session {
  readonly namespaces: Namespaces;
  readonly reader: Reader;
  readonly scanner: Scanner;
  readonly tally: Tally;
  readonly writer: Writer;
  readonly clearing: Clearing;
  readonly queue: WriteQueue;
  /** `undefined`: a database without a file. */
  readonly guard: Guard | undefined;
  /** Whether a writer keeps readers waiting. */
  readonly readersWait: boolean;
  readonly #db: Sqlite.Database;
  readonly #settings: Settings;
  readonly #snapshot: TurnSnapshot;
  readonly #sweeper: Sweeper;
  readonly #vacated: Vacated;
  readonly #retired: RetiredBlocks | undefined;
  readonly #log: ChangeLog;
  readonly #blocks: RevisionBlocks;
  /** All feeds of this connection: a database handed in may serve several adapters. */
  readonly #feeds: Set<ChangeFeed>;
  #feed: ChangeFeed | undefined;
  #closing = false;

  constructor(settings: Settings) {
    const { clock } = settings;
    const tables = tablesOf(settings.table);
    const { db, guard } = connect(settings, tables);
    this.#db = db;
    this.#settings = settings;
    let snapshot: TurnSnapshot | undefined;
    try {
      const transactions = new Transactions(db);
      const expiredRows = new ExpiredRows(db, tables);
      const deadlines = new DeadlineFlag(db, tables);
      const revisions = new Revisions(db, tables);
      const blocks = new RevisionBlocks(db, tables, transactions, revisions);
      this.#blocks = blocks;
      snapshot = new TurnSnapshot(db, settings.turnSnapshots, () => this.guard?.check());
      this.#snapshot = snapshot;
      this.#feeds = feedsOf(db);
      this.readersWait = !["wal", "memory"].includes(String(db.pragma("journal_mode", { simple: true })));
      this.#log = new ChangeLog(db, tables, transactions, revisions);
      this.guard = guard ?? guardOf(db, settings, new Lineage(db, tables, () => blocks.lasting));
      const hooks = {
        before: () => this.#refresh(),
        after: () => this.#written(),
        explained: (error: unknown) => this.explained(error),
      };
      this.queue = new WriteQueue(hooks, settings.path, settings.busyTimeout);
      const { queue } = this;
      const namespaces = new Namespaces(db, tables, transactions);
      this.namespaces = namespaces;
      this.reader = new Reader(db, tables, { namespaces, revisions, snapshot }, clock);
      this.scanner = new Scanner(db, tables, { deadlines, revisions }, clock);
      const read = <T>(work: () => T) => queue.read(work);
      this.tally = new Tally(db, tables, { deadlines, namespaces, read }, clock);
      this.writer = new Writer(db, tables, { namespaces, blocks, deadlines, revisions, transactions }, clock);
      const eraser = new Eraser(db, tables, { transactions, expiredRows, deadlines }, clock);
      this.#sweeper = new Sweeper(db, tables, { queue, transactions, expiredRows, deadlines }, clock);
      const vacated = new Vacated(db, tables, { queue, transactions });
      this.#vacated = vacated;
      if (!settings.readOnly) this.#retired = new RetiredBlocks(db, tables, { queue, transactions });
      this.clearing = new Clearing({ eraser, queue, namespaces, vacated });
    } catch (error) {
      snapshot?.close();
      this.#release();
      throw error;
    }
  }

  get feed(): ChangeFeed {
    if (this.#feed === undefined) {
      this.#feed = new ChangeFeed(this.#db, this.#log, this.queue, {
        refresh: () => this.#refresh(),
        interval: this.#settings.watchInterval,
        revisions: () => this.#blocks.block,
      });
      this.#feeds.add(this.#feed);
    }
    return this.#feed;
  }

  async sweep(): Promise<number> {
    this.guard?.look();
    if (this.#settings.readOnly) return 0;
    const removed = await this.#sweeper.sweep();
    await this.#vacated.sweep();
    await this.#retired?.sweep();
    if (this.#closing) return removed;
    if (this.#log.hasDead()) await this.queue.run(() => this.#log.removeDead());
    this.#shortenLog();
    return removed;
  }

  /** The engine's description of itself, for `stats`. */
  describe(): Record<string, string | number> {
    const pragma = (name: string) => this.#db.pragma(name, { simple: true }) as string | number;
    const version = this.#db.prepare<[], string>("SELECT sqlite_version()").pluck().get() ?? "";
    return {
      engine: "SQLite",
      version,
      path: this.#settings.path,
      journalMode: pragma("journal_mode"),
      fileBytes: Number(pragma("page_count")) * Number(pragma("page_size")),
    };
  }

  /** @throws LostFiles; a Refusal; SQLite's error */
  async backup(path: string, options: BackupOptions): Promise<BackupReport> {
    this.guard?.look();
    try {
      return await writeBackup(this.#db, path, options);
    } catch (error) {
      throw this.explained(error);
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#sweeper.stop();
    this.#vacated.stop();
    this.#retired?.stop();
    await this.queue.idle();
    this.#feed?.close();
    if (this.#feed !== undefined) this.#feeds.delete(this.#feed);
    this.#snapshot.close();
    const loss = this.guard?.lossAtClose();
    this.#release();
    if (loss !== undefined) throw loss;
  }

  /** The error to report: if the files are gone, that, rather than SQLite's own error. */
  explained(error: unknown): unknown {
    try {
      this.guard?.look();
      return error;
    } catch (loss) {
      return loss;
    }
  }

  /**
   * Ends the turn's snapshot.
   * @throws Refusal if the files are gone; as if the database were locked, while the owner's transaction is open
   */
  #refresh(): void {
    this.guard?.check();
    this.#snapshot.release();
    if (this.#settings.database?.inTransaction) throw ownersTransaction();
  }

  /** @throws Refusal if the files are gone: the write is then not acknowledged */
  #written(): void {
    this.guard?.check();
    this.#snapshot.outdateOthers();
    for (const feed of this.#feeds) feed.written();
  }

  #shortenLog(): void {
    const { path, database, inMemory } = this.#settings;
    if (database !== undefined || inMemory || !this.#db.open) return;
    const size = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    if (size < LARGE_LOG) return;
    this.#snapshot.release();
    // If readers are in the way, it does what it can and reports that, instead of failing.
    this.#db.pragma("wal_checkpoint(TRUNCATE)");
  }

  #release(): void {
    if (this.#settings.database === undefined) this.#db.close();
  }
}

function guardOf(db: Sqlite.Database, settings: Settings, lineage: Lineage): Guard | undefined {
  const { path, database } = settings;
  const real = fileOf(db);
  if (real === "") return undefined;
  const isComparable = database === undefined || lineage.isFoundAfresh;
  return new FileGuard({
    // The name of a database handed in may be relative to a working directory that has changed since.
    path: isAbsolute(path) ? path : real,
    real,
    // The owner of a database handed in may have closed it.
    hasLog: () => db.open && isInWalMode(db),
    isOurs: () => (isComparable ? lineage.continues() : true),
  });
}
