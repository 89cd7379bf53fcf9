import { type Query, query } from "../connection/query.ts";
import { LIVE, ROW } from "../stored/document.ts";

/** The kind of change that a note records for a key. */
export type Kind = "set" | "touch" | "delete" | "expire";

type NotedChange = readonly [
  namespaceId: string,
  key: string,
  id: string,
  kind: Kind,
  expiresAt: number | null,
];

/** A document of the log, limited to the changes in some namespaces. */
export interface Note {
  readonly writer: string;
  readonly number: number;
  /** The server's time. */
  readonly at: number;
  readonly changes: readonly NotedChange[];
}

/** Returns the number and time of each writer's last statement: where a watcher begins. */
export const POSITIONS: Query = query(
  "where watching begins",
  `
    LET now = DATE_NOW()
    LET positions = (
      FOR w IN @@system
        FILTER w.kind == "writer" AND w.watchedUntil > now
        LET last = FIRST(
          FOR c IN @@changes
            FILTER c.writer == w._key
            SORT c.number DESC
            LIMIT 1
            RETURN { number: c.number, at: c.at }
        )
        FILTER last != null
        RETURN [w._key, last.number, last.at]
    )
    RETURN [now, positions]`,
);

/**
 * Returns the changes in some namespaces since the positions, the entries that expired since the last poll, and the present
 * entries: all from one snapshot, so that entries and changes belong together. A writer without a statement in progress at the
 * last complete poll (`@watched`) has nothing new. The last two results: the known writers for which that holds, and whether
 * the note that was seen last still exists.
 */
export const POLL: Query = query(
  "what has changed",
  `
    LET now = DATE_NOW()
    LET news = (
      FOR w IN @@system
        FILTER w.kind == "writer" AND w.watchedUntil > @watched
        LET own = (
          FOR c IN @@changes
            FILTER c.writer == w._key AND c.number > (@seen[w._key] == null ? 0 : @seen[w._key])
            SORT c.number ASC
            LIMIT @limit
            RETURN { writer: c.writer, number: c.number, at: c.at,
              changes: c.changes[* FILTER CURRENT[0] IN @namespaces] }
        )
        FOR c IN own
          SORT c.at, c.number
          RETURN c
    )
    LET ids = UNIQUE(FLATTEN(news[* RETURN CURRENT.changes[* RETURN CURRENT[2]]]))
    LET entries = (
      FOR d IN @@entries
        FILTER d._key IN ids AND ${LIVE}
        RETURN [d._key, ${ROW}]
    )
    LET expired = (
      FOR d IN @@entries
        FILTER d.expiresAt > @since AND d.expiresAt <= now AND d.namespace IN @namespaces AND d.dead == null
        SORT d.expiresAt
        RETURN [d.namespace, d.key, d._key]
    )
    LET writers = (
      FOR w IN @@system
        FILTER w.kind == "writer" AND w.watchedUntil > @watched
        RETURN w._key
    )
    LET intact = FIRST(
      FOR c IN @@changes
        FILTER c.writer == @last[0] AND c.number == @last[1]
        RETURN true
    )
    RETURN [now, news, entries, expired, MINUS(ATTRIBUTES(@seen), writers), intact == true]`,
);

export const FEED_QUERIES: readonly Query[] = [POSITIONS, POLL];
