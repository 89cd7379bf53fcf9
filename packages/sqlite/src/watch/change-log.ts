/**
 * The change feed's part of the database.
 *
 * While any process watches, three triggers on the table of entries record changes in `kv_changes`; otherwise there are
 * none, and writers pay nothing. A process that watches has a row in `kv_watchers` with the number of the last change it
 * has seen and the time of its last sign of life. A process that joins, leaves or sweeps removes the rows of dead watchers,
 * the changes that all watchers have seen and, with the last row, the triggers.
 *
 * A process that wants only others' changes, as one that keeps copies of the entries it reads, records in its row which
 * revisions it gives out (`own_first` to before `own_end`). While it is the only watcher, changes with these revisions are
 * not recorded: no process would read them. Deletions carry no revision of the deleting process, and are recorded.
 *
 * A watcher whose row was removed, or that finds a gap in the numbers, may have missed changes.
 */
import type { StoredChange } from "@kv/core";
import type Sqlite from "better-sqlite3";
import type { Transactions } from "../connection/transactions.ts";
import { COLUMNS, entryOf, type Row } from "../stored/entry.ts";
import type { Revisions } from "../stored/revisions.ts";
import type { Tables } from "../stored/schema.ts";
import type { RevisionBlock } from "../write/revision-blocks.ts";

/** Milliseconds without a sign of life after which a watcher is taken for dead. */
export const DEAD_AFTER_MS = 30_000;
/** The most changes that are kept for a watcher that lags behind. */
const KEPT = 100_000;
/** Changes read at once. */
const PAGE = 256;

type Tail = readonly [
  seq: number,
  path: string,
  key: string,
  kind: "set" | "touch" | "delete" | "expire",
  namespace: number,
];
type NoRow = readonly [null, null, null, null, null, null, null, null, null, null];
type ChangeRow = readonly [...Row, ...Tail] | readonly [...NoRow, ...Tail];
const SEQ = 10;
const PATH = 11;
const CHANGED_KEY = 12;
const KIND = 13;
const NAMESPACE = 14;

export interface ChangePage {
  /** By namespace: the last change of each key, in order. */
  readonly changes: ReadonlyMap<string, readonly StoredChange[]>;
  /** The number of the last change read. */
  readonly position: number;
  /** Whether changes are missing before the first one. */
  readonly gap: boolean;
  readonly full: boolean;
}

export class ChangeLog {
  readonly #db: Sqlite.Database;
  readonly #tables: Tables;
  readonly #transactions: Transactions;
  readonly #revisions: Revisions;
  readonly #read: Sqlite.Statement<[number, number], ChangeRow>;
  readonly #known: Sqlite.Statement<[string], number>;
  readonly #disown: Sqlite.Statement<[number, number, string]>;
  readonly #refresh: Sqlite.Statement<[number, number, string]>;
  readonly #dead: Sqlite.Statement<[number], number>;
  readonly #bury: Sqlite.Statement<[number]>;
  readonly #living: Sqlite.Statement<[], number>;
  readonly #prune: Sqlite.Statement<[number]>;
  readonly #last: Sqlite.Statement<[string], number>;

  constructor(db: Sqlite.Database, tables: Tables, transactions: Transactions, revisions: Revisions) {
    const { entries, namespaces, changes, watchers } = tables;
    const numbers = <P extends unknown[]>(sql: string) =>
      db.prepare<P, number>(sql).pluck().safeIntegers(false);
    this.#db = db;
    this.#tables = tables;
    this.#transactions = transactions;
    this.#revisions = revisions;
    this.#read = db
      .prepare<[number, number], ChangeRow>(
        `SELECT ${COLUMNS.map((column) => `e.${column}`).join(", ")}, c.seq, n.path, c.key, c.kind, c.namespace
        FROM ${changes} AS c CROSS JOIN ${namespaces} AS n ON n.id = c.namespace
        LEFT JOIN ${entries} AS e ON e.namespace = c.namespace AND e.key = c.key
        WHERE c.seq > ? ORDER BY c.seq LIMIT ?`,
      )
      .raw()
      .safeIntegers(false);
    this.#known = numbers(`SELECT count(*) FROM ${watchers} WHERE id = ?`);
    this.#disown = db.prepare(`UPDATE ${watchers} SET own_first = ?, own_end = ? WHERE id = ?`);
    this.#refresh = db.prepare(`UPDATE ${watchers} SET position = ?, seen_at = ? WHERE id = ?`);
    this.#dead = numbers(`SELECT count(*) FROM ${watchers} WHERE seen_at < ?`);
    this.#bury = db.prepare(`DELETE FROM ${watchers} WHERE seen_at < ?`);
    this.#living = numbers(`SELECT count(*) FROM ${watchers}`);
    this.#prune = db.prepare(`DELETE FROM ${changes} WHERE seq <= ?`);
    // Kept by AUTOINCREMENT, and right even when all rows of the table are gone.
    this.#last = numbers("SELECT seq FROM sqlite_sequence WHERE name = ?");
  }

  /** Registers a watcher: from now on changes are recorded, except `unwanted` ones. Returns the number of the last earlier change. */
  join(id: string, unwanted: RevisionBlock): number {
    return this.#transactions.run(() => {
      this.#tidy();
      const { entries, changes, watchers } = this.#tables;
      const wanted = `(SELECT count(*) <> 1 OR NEW.revision < max(own_first) OR NEW.revision >= max(own_end) FROM ${watchers})`;
      for (const [event, row, kind, when] of [
        ["INSERT", "NEW", "'set'", `WHEN ${wanted}`],
        [
          "UPDATE",
          "NEW",
          "iif(NEW.revision = OLD.revision, 'touch', 'set')",
          `WHEN NEW.revision = OLD.revision OR ${wanted}`,
        ],
        ["DELETE", "OLD", "'delete'", ""],
      ] as const) {
        this.#db.exec(
          `CREATE TRIGGER IF NOT EXISTS ${this.#trigger(event)} AFTER ${event} ON ${entries} ${when} BEGIN
            INSERT INTO ${changes} (namespace, key, kind) VALUES (${row}.namespace, ${row}.key, ${kind});
          END`,
        );
      }
      const position = this.#position();
      this.#db
        .prepare(`INSERT INTO ${watchers} (id, position, seen_at, own_first, own_end) VALUES (?, ?, ?, ?, ?)`)
        .run(id, position, Date.now(), unwanted.first, unwanted.end);
      return position;
    });
  }

  /** From now on changes with these revisions are not recorded while no other process watches; all others are. */
  disown(id: string, unwanted: RevisionBlock): void {
    this.#disown.run(unwanted.first, unwanted.end, id);
  }

  leave(id: string): void {
    this.#transactions.run(() => {
      this.#db.prepare(`DELETE FROM ${this.#tables.watchers} WHERE id = ?`).run(id);
      this.#tidy();
    });
  }

  /** Records that this watcher is alive, and its position. `false`: it was taken for dead. */
  signOfLife(id: string, position: number): boolean {
    return this.#transactions.run(() => {
      const known = this.#refresh.run(position, Date.now(), id).changes > 0;
      this.#tidy();
      return known;
    });
  }

  isKnown(id: string): boolean {
    return (this.#known.get(id) ?? 0) > 0;
  }

  /** Whether `removeDead` would remove any watchers. */
  hasDead(): boolean {
    return (this.#dead.get(Date.now() - DEAD_AFTER_MS) ?? 0) > 0;
  }

  removeDead(): void {
    this.#transactions.run(() => this.#tidy());
  }

  /** Reads the changes after a number. A key that changed several times appears once, at its last change, with its present row. */
  read(after: number): ChangePage {
    const rows = this.#read.all(after, PAGE);
    const changes = new Map<string, Map<string, StoredChange>>();
    for (const row of rows) {
      const path = row[PATH];
      let ofNamespace = changes.get(path);
      if (ofNamespace === undefined) {
        ofNamespace = new Map();
        changes.set(path, ofNamespace);
      }
      const key = row[CHANGED_KEY];
      const earlier = ofNamespace.get(key);
      ofNamespace.delete(key);
      const change = changeOf(row, earlier?.type === "set", this.#revisions);
      if (change !== undefined) ofNamespace.set(key, change);
    }
    return {
      changes: new Map([...changes].map(([path, byKey]) => [path, [...byKey.values()]])),
      position: rows.at(-1)?.[SEQ] ?? after,
      gap: rows[0] !== undefined && rows[0][SEQ] > after + 1,
      full: rows.length === PAGE,
    };
  }

  /** Within a transaction: removes dead watchers, changes that no watcher needs and, if no watcher is left, the triggers. */
  #tidy(): void {
    const { watchers } = this.#tables;
    this.#bury.run(Date.now() - DEAD_AFTER_MS);
    if ((this.#living.get() ?? 0) === 0) {
      for (const event of ["INSERT", "UPDATE", "DELETE"])
        this.#db.exec(`DROP TRIGGER IF EXISTS ${this.#trigger(event)}`);
      this.#prune.run(this.#position());
      return;
    }
    const seenByAll = this.#db
      .prepare<[], number>(`SELECT min(position) FROM ${watchers}`)
      .pluck()
      .safeIntegers(false)
      .get();
    this.#prune.run(Math.max(seenByAll ?? 0, this.#position() - KEPT));
  }

  #position(): number {
    return this.#last.get(this.#tables.changes) ?? 0;
  }

  #trigger(event: string): string {
    return `${this.#tables.entries}_on_${event.toLowerCase()}`;
  }
}

function changeOf(row: ChangeRow, wasSet: boolean, revisions: Revisions): StoredChange | undefined {
  const key = row[CHANGED_KEY];
  const kind = row[KIND];
  if (kind === "delete" || kind === "expire") return { type: kind, key };
  // The key was deleted meanwhile: that change comes later.
  if (row[0] === null) return undefined;
  const entry = entryOf(row[NAMESPACE], key, row as unknown as Row, revisions);
  return { type: wasSet ? "set" : kind, key, entry };
}
