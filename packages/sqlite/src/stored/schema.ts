/**
 * The stored layout, with `kv` standing for the option `table`:
 *
 * - `kv`: an entry per row. `namespace` is an id from `kv_namespaces`; `key` and `value` are the key and the payload as
 *   they are: JSON text under the default codec, a BLOB for bytes. `encoding` is the codec's name. Times are
 *   milliseconds since 1970; `expires_at` NULL: never. `evictable` 1: the policy "evict". `user_metadata`: JSON text.
 *   `checksum` and `metadata_checksum`: see `checksum.ts`.
 *   A row whose `expires_at` has come counts as absent until a sweep deletes it.
 *   An ordinary rowid table with one index: `WITHOUT ROWID` makes writes several times slower, and an index on
 *   `expires_at` halves the writes that have a deadline. Short columns come first, so that counts and sweeps do not
 *   read the overflow pages of long values. The collation is BINARY, which in UTF-8 is the order of code points.
 * - `kv_namespaces`: id ↔ the namespace's path as one string (every segment followed by `/`; the root's is empty). The row
 *   of an empty namespace is removed by sweeps. Its id is never reused, so a connection that remembers it finds nothing
 *   under it, and looks the path up again.
 * - `kv_meta`: numbers by name. `version`: this layout's. `revision`: the first revision that is not reserved.
 *   `namespace`: the next id of a namespace. `deadlines`: 1 once any entry ever had a deadline; until then sweeps,
 *   counts and lists of keys ignore deadlines.
 * - `kv_revisions`: the blocks of revisions that connections have reserved (`first` to before `beyond`), each with a random
 *   text, see `revisions.ts`. Sweeps remove old blocks that no entry uses, see `retired-blocks.ts`.
 * - `kv_changes`, `kv_watchers`: the change feed, see `change-log.ts`. Empty unless a watcher exists.
 *
 * To read it with the `sqlite3` tool: `SELECT key, value FROM kv;`
 */
import { Refusal } from "@kv/core";
import type Sqlite from "better-sqlite3";

/** The names of our tables, valid as they stand in SQL. */
export interface Tables {
  readonly entries: string;
  readonly namespaces: string;
  readonly meta: string;
  readonly changes: string;
  readonly watchers: string;
  readonly revisions: string;
}

export function tablesOf(table: string): Tables {
  return {
    entries: table,
    namespaces: `${table}_namespaces`,
    meta: `${table}_meta`,
    changes: `${table}_changes`,
    watchers: `${table}_watchers`,
    revisions: `${table}_revisions`,
  };
}

/** Step `n` leads from version `n` to `n + 1`. Released steps are never edited; a new layout is a new step. */
const MIGRATIONS: readonly ((tables: Tables) => string)[] = [
  ({ entries, namespaces, meta }) => `
    CREATE TABLE ${meta} (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO ${meta} (name, value) VALUES ('version', 0), ('revision', 1), ('deadlines', 0);
    CREATE TABLE ${namespaces} (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);
    CREATE TABLE ${entries} (
      namespace INTEGER NOT NULL,
      key TEXT NOT NULL,
      revision INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL,
      expires_at INTEGER,
      evictable INTEGER NOT NULL,
      encoding TEXT NOT NULL,
      checksum INTEGER NOT NULL,
      metadata_checksum INTEGER NOT NULL,
      user_metadata TEXT,
      value TEXT NOT NULL,
      UNIQUE (namespace, key)
    );`,
  ({ changes, watchers }) => `
    CREATE TABLE ${changes} (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      namespace INTEGER NOT NULL,
      key TEXT NOT NULL,
      kind TEXT NOT NULL
    );
    CREATE TABLE ${watchers} (id TEXT PRIMARY KEY, position INTEGER NOT NULL, seen_at INTEGER NOT NULL) WITHOUT ROWID;`,
  ({ watchers }) => `
    ALTER TABLE ${watchers} ADD COLUMN own_first INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE ${watchers} ADD COLUMN own_end INTEGER NOT NULL DEFAULT 0;`,
  ({ meta, namespaces, revisions }) => `
    CREATE TABLE ${revisions} (
      first INTEGER PRIMARY KEY,
      beyond INTEGER NOT NULL,
      text TEXT NOT NULL,
      reserved_at INTEGER NOT NULL
    );
    INSERT INTO ${meta} (name, value) SELECT 'namespace', coalesce(max(id), 0) + 1 FROM ${namespaces};`,
];

export const SCHEMA_VERSION: number = MIGRATIONS.length;
/** The oldest layout that can be read without migration, which a read-only medium does not allow. */
const READABLE_VERSION = 3;

/** The version that introduced each table. */
const SINCE: { readonly [T in keyof Tables]: number } = {
  entries: 1,
  namespaces: 1,
  meta: 1,
  changes: 2,
  watchers: 2,
  revisions: 4,
};

/** The columns of every table, in the order in which they were created. */
const LAYOUT: { readonly [T in keyof Tables]: string } = {
  entries:
    "namespace,key,revision,created_at,updated_at,expires_at,evictable,encoding,checksum,metadata_checksum,user_metadata,value",
  namespaces: "id,path",
  meta: "name,value",
  changes: "seq,namespace,key,kind",
  watchers: "id,position,seen_at,own_first,own_end",
  revisions: "first,beyond,text,reserved_at",
};

const TABLE_NAMES = Object.keys(SINCE) as (keyof Tables)[];

/**
 * Makes the tables, or migrates them to this version. Several processes may do so at the same time.
 * @throws Refusal if the tables are not ours, or newer
 */
export function prepareSchema(db: Sqlite.Database, tables: Tables, readOnly: boolean): void {
  if (db.pragma("encoding", { simple: true }) !== "UTF-8") {
    throw new Refusal(
      "KV_UNSUPPORTED",
      "the database's text encoding is UTF-16, which orders keys differently; use a database in UTF-8",
    );
  }
  let version = versionOf(db, tables);
  if (version < SCHEMA_VERSION && !readOnly) {
    migrate(db, tables);
    version = SCHEMA_VERSION;
  }
  if (version < READABLE_VERSION) {
    throw new Refusal(
      "KV_UNAVAILABLE",
      `the database has no table ${tables.entries} in a layout that can be read; open it once without readOnly`,
    );
  }
  for (const name of TABLE_NAMES) {
    if (SINCE[name] <= version && columnsOf(db, tables[name]) !== LAYOUT[name]) throw foreign(tables[name]);
  }
}

function migrate(db: Sqlite.Database, tables: Tables): void {
  db.exec("BEGIN IMMEDIATE");
  try {
    // Another connection may have migrated while this one waited for the lock.
    const from = versionOf(db, tables);
    for (const name of TABLE_NAMES) {
      if (SINCE[name] > from && columnsOf(db, tables[name]) !== "") throw foreign(tables[name]);
    }
    for (const step of MIGRATIONS.slice(from)) db.exec(step(tables));
    db.prepare(`UPDATE ${tables.meta} SET value = ? WHERE name = 'version'`).run(SCHEMA_VERSION);
    db.exec("COMMIT");
  } catch (error) {
    if (db.inTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

/** 0: there are no tables yet. */
function versionOf(db: Sqlite.Database, tables: Tables): number {
  const names = Object.values(tables);
  const taken = db
    .prepare<string[], string>(
      `SELECT name FROM sqlite_schema WHERE lower(name) IN (${names.map(() => "lower(?)").join(", ")}) LIMIT 1`,
    )
    .pluck()
    .get(...names);
  if (taken === undefined) return 0;
  if (columnsOf(db, tables.meta) !== LAYOUT.meta) throw foreign(taken);
  const version = db
    .prepare<[], unknown>(`SELECT value FROM ${tables.meta} WHERE name = 'version'`)
    .pluck()
    .safeIntegers(false)
    .get();
  if (typeof version !== "number" || version < 1) throw foreign(tables.meta);
  if (version > SCHEMA_VERSION) {
    throw new Refusal(
      "KV_UNSUPPORTED",
      `the table ${tables.entries} has layout ${version}, of a newer @kv/sqlite; ` +
        `this one reads layouts up to ${SCHEMA_VERSION}: upgrade @kv/sqlite`,
    );
  }
  return version;
}

/** `""`: there is no such table. */
function columnsOf(db: Sqlite.Database, table: string): string {
  return db
    .prepare<[string], string>("SELECT name FROM pragma_table_info(?) ORDER BY cid")
    .pluck()
    .all(table)
    .join(",");
}

function foreign(table: string): Refusal {
  return new Refusal(
    "KV_UNSUPPORTED",
    `the database has a table ${table} that @kv/sqlite did not make; it is left alone: choose another name with the option table`,
  );
}
