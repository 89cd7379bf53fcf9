import { resolve } from "node:path";
import { isMilliseconds, KvError, Refusal, refuseUnknownOptions } from "@kv/core";
import type Sqlite from "better-sqlite3";

interface CommonOptions {
  /**
   * The name of the table that holds the entries, and the prefix of the others (`kv_meta`, …): several stores fit into
   * one file. ASCII letters, digits and `_`, at most 64, not beginning with a digit or `sqlite_`. Default: `"kv"`.
   */
  readonly table?: string | undefined;
  /** Milliseconds between two checks for other processes' changes, while a watcher exists. Default: 25. */
  readonly watchInterval?: number | undefined;
  /**
   * Milliseconds for which an operation retries while another connection holds the lock it needs, without blocking the
   * event loop; then `KV_UNAVAILABLE`. Default: 4,800. That is just below the store's own timeout of 5 s, so calls that
   * waited behind it on the same key have too little time left to begin, and nothing is written for them.
   */
  readonly busyTimeout?: number | undefined;
  /** Returns milliseconds since 1970; deadlines are compared with it. Default: `Date.now`. */
  readonly clock?: (() => number) | undefined;
}

export interface SqliteFileOptions extends CommonOptions {
  /**
   * The database file, created with its directory if missing; `":memory:"`: a private database that ends with the store.
   * A relative path is resolved at once. A file with several hard links is refused: SQLite would keep a log for each.
   */
  readonly path: string;
  /**
   * What a resolved write survives. `"fast"` (default): the end of the process, `kill -9` included (`synchronous =
   * NORMAL` in WAL mode). `"full"`: a loss of power, too, at the cost of an fsync for every batch of writes.
   */
  readonly durability?: "fast" | "full" | undefined;
  /**
   * Nothing is written, created or migrated, and writes are `KV_READ_ONLY`. Cannot watch. In a directory that cannot be
   * written, a file of up to 1 GiB that was closed properly is read into memory. Default: false.
   */
  readonly readOnly?: boolean | undefined;
  /**
   * Whether the reads of one turn of the event loop share a snapshot, which makes them twice as fast. The snapshot ends
   * at the end of the turn, or before this store writes. News of another process's write can only arrive in a later turn,
   * so such a write is always visible. Only code that gets the news within the turn (by `Atomics.wait`, from a file read
   * synchronously) could miss it, and should switch this off. Default: true.
   */
  readonly turnSnapshots?: boolean | undefined;
  readonly database?: undefined;
}

export interface SqliteDatabaseOptions extends CommonOptions {
  /**
   * A database opened by the caller, who also closes it. Its pragmas and the caller's tables stay as they are. While the
   * caller's own transaction is open, the store's writes wait; the caller may begin one at any time, since the store leaves
   * none open. WAL mode is advised.
   */
  readonly database: Sqlite.Database;
  readonly path?: undefined;
}

export type SqliteOptions = SqliteFileOptions | SqliteDatabaseOptions;

/** The options with their defaults, checked. */
export interface Settings {
  /** Absolute, or `":memory:"`; for a database handed in, its name. */
  readonly path: string;
  readonly database: Sqlite.Database | undefined;
  /** Whether the database is private to its connection, and ends with it. */
  readonly inMemory: boolean;
  readonly table: string;
  readonly durability: "fast" | "full";
  readonly readOnly: boolean;
  readonly turnSnapshots: boolean;
  readonly watchInterval: number;
  readonly busyTimeout: number;
  readonly clock: () => number;
}

const COMMON = ["table", "watchInterval", "busyTimeout", "clock"] as const;
const FILE: ReadonlySet<string> = new Set(["path", "durability", "readOnly", "turnSnapshots", ...COMMON]);
const HANDED_IN: ReadonlySet<string> = new Set(["database", ...COMMON]);
const EITHER: ReadonlySet<string> = new Set([...FILE, ...HANDED_IN]);
const IDENTIFIER = /^(?!sqlite_)[a-z_][a-z0-9_]{0,63}$/i;
const MEMORY = ":memory:";

/** @throws KvError `KV_INVALID_OPTION` */
export function settingsOf(options: SqliteOptions): Settings {
  try {
    return checked(options);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new KvError(error.code, { message: error.message, operation: "open", adapter: "sqlite" });
  }
}

function checked(options: SqliteOptions): Settings {
  if (options === undefined) refuse('sqlite() needs options: { path: "./app.db" } or { database }');
  refuseUnknownOptions(options, EITHER, "sqlite()");
  const { table = "kv", watchInterval = 25, busyTimeout = 4800, clock = () => Date.now() } = options;
  demand(
    typeof table === "string" && IDENTIFIER.test(table),
    "table",
    "an identifier of ASCII letters, digits and _",
  );
  demand(
    isMilliseconds(watchInterval, 1),
    "watchInterval",
    "a number of milliseconds from 1 to 2,147,483,647, which is 24.8 days",
  );
  demand(
    isMilliseconds(busyTimeout, 0),
    "busyTimeout",
    "a number of milliseconds from 0 to 2,147,483,647, which is 24.8 days",
  );
  demand(typeof clock === "function", "clock", "a function that returns milliseconds since 1970");
  const common = { table, watchInterval, busyTimeout, clock };
  return options.database === undefined ? ofFile(options, common) : ofDatabase(options, common);
}

type Common = Pick<Settings, "table" | "watchInterval" | "busyTimeout" | "clock">;

function ofFile(options: SqliteFileOptions, common: Common): Settings {
  refuseUnknownOptions(given(options), FILE, "sqlite({ path })");
  const { path, durability = "fast", readOnly = false, turnSnapshots = true } = options;
  demand(typeof path === "string" && path.trim() !== "", "path", 'the path of a file, or ":memory:"');
  demand(!path.includes("\0"), "path", "free of NUL characters");
  demand(
    !/^file:/i.test(path),
    "path",
    "a path, and not a file: URL (fileURLToPath of node:url makes one of it)",
  );
  demand(durability === "fast" || durability === "full", "durability", '"fast" or "full"');
  demand(typeof readOnly === "boolean", "readOnly", "true or false");
  demand(typeof turnSnapshots === "boolean", "turnSnapshots", "true or false");
  const inMemory = path === MEMORY;
  demand(!(inMemory && readOnly), "readOnly", "false for a database in memory");
  // The driver trims names and takes "file:…" for a URI; an absolute path is neither.
  const absolute = inMemory ? path : resolve(path);
  demand(absolute === absolute.trim(), "path", "free of white space at its end");
  return { ...common, path: absolute, database: undefined, inMemory, durability, readOnly, turnSnapshots };
}

function ofDatabase(options: SqliteDatabaseOptions, common: Common): Settings {
  refuseUnknownOptions(given(options), HANDED_IN, "sqlite({ database })");
  const { database } = options;
  demand(
    typeof database === "object" && typeof database?.prepare === "function",
    "database",
    "a Database of better-sqlite3",
  );
  return {
    ...common,
    path: database.name,
    database,
    inMemory: database.memory,
    durability: "fast",
    readOnly: database.readonly,
    // A read transaction of ours would include the owner's statements on the same connection in the same turn.
    turnSnapshots: false,
  };
}

/** Without the options that are `undefined`: they count as not given. */
function given(options: SqliteOptions): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function demand(holds: boolean, option: string, kind: string): void {
  if (!holds) refuse(`the option ${option} of sqlite() must be ${kind}`);
}

function refuse(message: string): never {
  throw new Refusal("KV_INVALID_OPTION", message);
}
