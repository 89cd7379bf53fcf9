import { join } from "node:path";
import type { Contender, Value } from "../../workload/contender.ts";

interface Row {
  readonly key: string;
  readonly value: string;
}

/** Handwritten code: two columns, statements prepared once, one statement per call. */
export const betterSqlite: Contender = {
  name: "better-sqlite3",
  role: "bare",
  packages: ["better-sqlite3"],
  note: "the driver by itself: no metadata, no expiry; getMany is a statement per key, setMany one transaction",
  async open(folder) {
    const { default: Database } = await import("better-sqlite3");
    const database = new Database(join(folder, "bare.db"));
    database.pragma("journal_mode = WAL");
    database.pragma("synchronous = NORMAL");
    database.exec("CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value TEXT NOT NULL)");
    database.exec(
      "CREATE TABLE IF NOT EXISTS expiring (key TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at INTEGER NOT NULL)",
    );
    const select = database.prepare<[string], string>("SELECT value FROM entries WHERE key = ?").pluck();
    const upsert = database.prepare<[string, string]>(
      "INSERT INTO entries VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    );
    const upsertExpiring = database.prepare<[string, string, number]>(
      "INSERT INTO expiring VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at",
    );
    const range = database.prepare<[string, string], Row>(
      "SELECT key, value FROM entries WHERE key >= ? AND key < ? ORDER BY key",
    );
    const get = (key: string): Value | undefined => {
      const text = select.get(key);
      return text === undefined ? undefined : JSON.parse(text);
    };
    return {
      get,
      set: (key, value) => upsert.run(key, JSON.stringify(value)),
      setExpiring: (key, value, ttlMs) => upsertExpiring.run(key, JSON.stringify(value), Date.now() + ttlMs),
      getMany: (keys) => keys.map(get),
      setMany: database.transaction((pairs: readonly (readonly [string, Value])[]) => {
        for (const [key, value] of pairs) upsert.run(key, JSON.stringify(value));
      }),
      scan: (prefix) =>
        range.all(prefix, `${prefix}\u{10ffff}`).map(({ key, value }) => [key, JSON.parse(value)]),
      close: () => database.close(),
    };
  },
};
