import { LIVE, ROW } from "./document.ts";
import { type Query, query } from "./query.ts";

/** The number of each writer's last query: where a watcher begins. */
export const POSITIONS: Query = query(
  "where watching begins",
  `
    LET now = DATE_NOW()
    LET positions = (
      FOR w IN @@system
        FILTER w.kind == "writer"
        LET last = FIRST(
          FOR c IN @@changes
            FILTER c.writer == w._key
            SORT c.number DESC
            LIMIT 1
            RETURN c.number
        )
        FILTER last != null
        RETURN [w._key, last]
    )
    RETURN [now, positions]`,
);

/**
 * What happened in some namespaces since the positions, what expired since the last look, and the entries as they are
 * now: all of one snapshot, so that what an entry is and what is told of it belong together.
 */
export const POLL: Query = query(
  "what has changed",
  `
    LET now = DATE_NOW()
    LET news = (
      FOR w IN @@system
        FILTER w.kind == "writer"
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
        FILTER w.kind == "writer"
        RETURN w._key
    )
    RETURN [now, news, entries, expired, writers]`,
);

export const FEED_QUERIES: readonly Query[] = [POSITIONS, POLL];
