import type Sqlite from "better-sqlite3";
import type { ChangeFeed } from "./change-feed.ts";

const FEEDS = new WeakMap<Sqlite.Database, Set<ChangeFeed>>();

/** All feeds on one connection. SQLite does not report a connection's own writes to it, so they are notified directly. */
export function feedsOf(db: Sqlite.Database): Set<ChangeFeed> {
  let feeds = FEEDS.get(db);
  if (feeds === undefined) {
    feeds = new Set();
    FEEDS.set(db, feeds);
  }
  return feeds;
}
