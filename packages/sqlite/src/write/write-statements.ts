import { type Payload, Refusal } from "@kv/core";
import type Sqlite from "better-sqlite3";
import { EVICTABLE, NEVER } from "../stored/checksum.ts";
import type { Tables } from "../stored/schema.ts";

type Time = number;
type Evictable = number;
/** The result of `checksum`; or of `writeChecksum`, plus the time of creation and the policy. */
type Sum = number;

type CurrentRow = readonly [
  revision: number,
  expiresAt: number | null,
  encoding: string,
  value: Payload,
  checksum: number,
  updatedAt: number,
];

/** The statements that write a single entry. Parameters are costly (0.1 µs each), hence one for each common case. */
export interface Statements {
  readonly setPlain: Sqlite.Statement<[number, string, number, Time, Time, Sum, Sum, Payload]>;
  readonly setExpiring: Sqlite.Statement<[number, string, number, Time, Time, Time, Sum, Sum, Payload]>;
  readonly setKeeping: Sqlite.Statement<
    [number, string, number, Time, Time, Evictable, string, Sum, Sum, string | undefined, Payload]
  >;
  readonly set: Sqlite.Statement<
    [
      ...[number, string, number, Time, Time, Time | undefined, Evictable, string],
      ...[Sum, Sum, string | undefined, Payload],
    ]
  >;
  /** The second sum is added to the row's metadata checksum. */
  readonly setNumber: Sqlite.Statement<[string, number, Time, Sum, Sum, number, string]>;
  readonly touch: Sqlite.Statement<[number, Time | null | undefined, Evictable | null, number, string, Time]>;
  readonly deleteLive: Sqlite.Statement<[number, string, Time]>;
  readonly deleteExpired: Sqlite.Statement<[number, string, Time]>;
  readonly remove: Sqlite.Statement<[number, string]>;
  readonly revision: Sqlite.Statement<
    [number, string],
    readonly [revision: number, expiresAt: number | null]
  >;
  readonly current: Sqlite.Statement<[number, string], CurrentRow>;
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
  "checksum",
  "metadata_checksum",
  "user_metadata",
  "value",
] as const;
/** An upsert updates the columns from this index on alike; those before it identify the row or have a clause of their own. */
const KEPT = 4;
/** The creation time of an overwritten entry is kept, unless it has expired and so counts as absent. */
const CREATED_AT = "CASE WHEN expires_at <= excluded.updated_at THEN excluded.created_at ELSE created_at END";
const METADATA_SUM = `excluded.metadata_checksum - excluded.created_at + ${CREATED_AT}`;

export function writeStatements(db: Sqlite.Database, { entries, namespaces }: Tables): Statements {
  /** NULL, which the column refuses, if another connection has removed the namespace. */
  const existing = `(SELECT id FROM ${namespaces} WHERE id = ?)`;
  /** An upsert. `constants`: columns that are not parameters; `kept`: what a column of an existing row becomes instead. */
  const upsert = (
    constants: { readonly [column: string]: string },
    kept: { readonly [column: string]: string } = {},
  ) => {
    const keptInstead: { readonly [column: string]: string } = { metadata_checksum: METADATA_SUM, ...kept };
    const values = COLUMNS.map((column) => constants[column] ?? (column === "namespace" ? existing : "?"));
    const updates = COLUMNS.slice(KEPT).map(
      (column) => `${column} = ${keptInstead[column] ?? constants[column] ?? `excluded.${column}`}`,
    );
    return `INSERT INTO ${entries} (${COLUMNS.join(", ")}) VALUES (${values.join(", ")})
      ON CONFLICT (namespace, key) DO UPDATE SET revision = excluded.revision,
        created_at = ${CREATED_AT}, ${updates.join(", ")}`;
  };
  const liveDeadline = "CASE WHEN expires_at <= excluded.updated_at THEN NULL ELSE expires_at END";
  const common = { evictable: "0", encoding: "'json'", user_metadata: "NULL" };
  const live = "namespace = ? AND key = ? AND (expires_at IS NULL OR expires_at > ?)";
  return {
    setPlain: db.prepare(upsert({ ...common, expires_at: "NULL" })),
    setExpiring: db.prepare(upsert(common)),
    setKeeping: db.prepare(
      upsert(
        { expires_at: "NULL" },
        {
          expires_at: liveDeadline,
          checksum: `excluded.checksum - ${NEVER} + coalesce(${liveDeadline}, ${NEVER})`,
        },
      ),
    ),
    set: db.prepare(upsert({})),
    setNumber: db.prepare(
      `UPDATE ${entries} SET value = ?, revision = ?, updated_at = ?, checksum = ?,
        metadata_checksum = metadata_checksum + ? WHERE namespace = ? AND key = ?`,
    ),
    touch: db.prepare(
      `WITH given (keeps, deadline, policy) AS (VALUES (?, ?, ?))
      UPDATE ${entries} SET expires_at = iif(keeps, expires_at, deadline), evictable = coalesce(policy, evictable),
        checksum = checksum + iif(keeps, 0, coalesce(deadline, ${NEVER}) - coalesce(expires_at, ${NEVER})),
        metadata_checksum = metadata_checksum + (coalesce(policy, evictable) - evictable) * ${EVICTABLE}
      FROM given WHERE ${live}`,
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
      .prepare<[number, string], CurrentRow>(
        `SELECT revision, expires_at, encoding, value, checksum, updated_at FROM ${entries}
        WHERE namespace = ? AND key = ?`,
      )
      .raw()
      .safeIntegers(false),
  };
}

/** @throws Refusal if a trigger of the database's owner ignored the row (`RAISE(IGNORE)`), which SQLite does not report as an error */
export function assertWritten({ changes }: Sqlite.RunResult): void {
  if (changes > 0) return;
  throw new Refusal(
    "KV_BACKEND",
    "a trigger on the table of entries kept the entry from being written; drop that trigger",
  );
}
