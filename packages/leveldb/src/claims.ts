import { Refusal } from "@kv/core";
import type { LevelDatabase } from "./level-database.ts";

/** The prefixes in use, by database. What one store remembers of its keys, another one must not change. */
const CLAIMS = new WeakMap<object, Set<string>>();

/**
 * Takes a prefix of a database handed in, → a function that gives it back.
 * @throws Refusal `KV_UNAVAILABLE` where another store has it
 */
export function claim(database: LevelDatabase, prefix: string): () => void {
  const root = rootOf(database);
  const whole = database.prefixKey(prefix, "utf8", false);
  let claims = CLAIMS.get(root);
  if (claims === undefined) {
    claims = new Set();
    CLAIMS.set(root, claims);
  }
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

/** The database that a sublevel is part of. */
function rootOf(database: LevelDatabase): object {
  return "db" in database && typeof database.db === "object" && database.db !== null ? database.db : database;
}
