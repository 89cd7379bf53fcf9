import type { Payload } from "@kv/core";
import type Sqlite from "better-sqlite3";
import type { Tables } from "./schema.ts";

type Time = number;
type Evictable = number;

/** What a single entry is written with. Parameters are costly (0.1 µs each), hence a statement for each common case. */
export interface Statements {
  readonly setPlain: Sqlite.Statement<[number, string, number, Time, Time, Payload]>;
  readonly setExpiring: Sqlite.Statement<[number, string, number, Time, Time, Time, Payload]>;
  readonly setKeeping: Sqlite.Statement<
    [number, string, number, Time, Time, Evictable, string, string | undefined, Payload]
  >;
  readonly set: Sqlite.Statement<
    [number, string, number, Time, Time, Time | undefined, Evictable, string, string | undefined, Payload]
  >;
  readonly setNumber: Sqlite.Statement<[string, number, Time, number, string]>;
  readonly touch: Sqlite.Statement<[number, Time | null | undefined, Evictable | null, number, string, Time]>;
  readonly deleteLive: Sqlite.Statement<[number, string, Time]>;
  readonly deleteExpired: Sqlite.Statement<[number, string, Time]>;
  readonly remove: Sqlite.Statement<[number, string]>;
  readonly revision: Sqlite.Statement<
    [number, string],
    readonly [revision: number, expiresAt: number | null]
  >;
  readonly current: Sqlite.Statement<
    [number, string],
    readonly [revision: number, expiresAt: number | null, encoding: string, value: Payload]
  >;
}

const COLUMNS = [
  "namespace",
  "key",
  "revision",
  "created_at",
  "updated_at",
  "expires_at",
  "evictable",
  "encoding",
  "user_metadata",
  "value",
] as const;
/** The last column alone is data of any length; the rest identify the row. */
const KEPT = 4;

export function writeStatements(db: Sqlite.Database, { entries }: Tables): Statements {
  /** An upsert; `constants` are the columns that are no parameters, `kept` what an existing row's column becomes instead. */
  const upsert = (
    constants: { readonly [column: string]: string },
    kept: { readonly [column: string]: string } = {},
  ) => {
    const values = COLUMNS.map((column) => constants[column] ?? "?");
    const updates = COLUMNS.slice(KEPT).map(
      (column) => `${column} = ${kept[column] ?? constants[column] ?? `excluded.${column}`}`,
    );
    return `INSERT INTO ${entries} (${COLUMNS.join(", ")}) VALUES (${values.join(", ")})
      ON CONFLICT (namespace, key) DO UPDATE SET revision = excluded.revision,
        created_at = CASE WHEN expires_at <= excluded.updated_at THEN excluded.created_at ELSE created_at END,
        ${updates.join(", ")}`;
  };
  const common = { evictable: "0", encoding: "'json'", user_metadata: "NULL" };
  const live = "namespace = ? AND key = ? AND (expires_at IS NULL OR expires_at > ?)";
  return {
    setPlain: db.prepare(upsert({ ...common, expires_at: "NULL" })),
    setExpiring: db.prepare(upsert(common)),
    setKeeping: db.prepare(
      upsert(
        { expires_at: "NULL" },
        { expires_at: "CASE WHEN expires_at <= excluded.updated_at THEN NULL ELSE expires_at END" },
      ),
    ),
    set: db.prepare(upsert({})),
    setNumber: db.prepare(
      `UPDATE ${entries} SET value = ?, revision = ?, updated_at = ? WHERE namespace = ? AND key = ?`,
    ),
    touch: db.prepare(
      `UPDATE ${entries} SET expires_at = iif(?, expires_at, ?), evictable = coalesce(?, evictable) WHERE ${live}`,
    ),
    deleteLive: db.prepare(`DELETE FROM ${entries} WHERE ${live}`),
    deleteExpired: db.prepare(`DELETE FROM ${entries} WHERE namespace = ? AND key = ? AND expires_at <= ?`),
    remove: db.prepare(`DELETE FROM ${entries} WHERE namespace = ? AND key = ?`),
    revision: db
      .prepare<[number, string], readonly [number, number | null]>(
        `SELECT revision, expires_at FROM ${entries} WHERE namespace = ? AND key = ?`,
      )
      .raw()
      .safeIntegers(false),
    current: db
      .prepare<[number, string], readonly [number, number | null, string, Payload]>(
        `SELECT revision, expires_at, encoding, value FROM ${entries} WHERE namespace = ? AND key = ?`,
      )
      .raw()
      .safeIntegers(false),
  };
}
