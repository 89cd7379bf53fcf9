import { Refusal } from "@kv/core";
import type { LevelDatabase } from "./level-database.ts";
import { prefixesOf } from "./register.ts";

/**
 * Takes a prefix of a database handed in, → a function that gives it back. What one store remembers of its keys, another
 * one must not change.
 * @throws Refusal `KV_UNAVAILABLE` where another store has it
 */
export function claim(database: LevelDatabase, prefix: string): () => void {
  const whole = database.prefixKey(prefix, "utf8", false);
  const claims = prefixesOf(rootOf(database));
  if (claims.has(whole)) {
    throw new Refusal(
      "KV_UNAVAILABLE",
      `another open store of this process uses the prefix ${JSON.stringify(prefix)} of this database; close that one, share it, or choose another prefix`,
      { held: true },
    );
  }
  claims.add(whole);
  return () => claims.delete(whole);
}

/** Where a database handed in is, as far as it says so. */
export function locationOf(database: LevelDatabase): string | undefined {
  const root = rootOf(database);
  return "location" in root && typeof root.location === "string" ? root.location : undefined;
}

/** The database that a sublevel is part of. */
function rootOf(database: LevelDatabase): object {
  return "db" in database && typeof database.db === "object" && database.db !== null ? database.db : database;
}
