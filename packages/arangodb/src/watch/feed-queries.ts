import { type Query, query } from "../connection/query.ts";
import { LIVE, ROW } from "../stored/document.ts";

/** What a note says of a key. */
export type Kind = "set" | "touch" | "delete" | "expire";

type Told = readonly [namespaceId: string, key: string, id: string, kind: Kind, expiresAt: number | null];

/** A document of the log, as far as it concerns some namespaces. */
export interface Note {
  readonly writer: string;
  readonly number: number;
  /** By the server's clock. */
  readonly at: number;
  readonly changes: readonly Told[];
}

/** The number and time of each writer's last query: where a watcher begins. */
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
 * What happened in some namespaces since the positions, what expired since the last look, and the entries as they are
 * now: all of one snapshot, so that what an entry is and what is told of it belong together. A writer that had nothing
 * under way any more at the last look that saw everything (`@watched`) has nothing new. `gone`: which of the known writers
 * these are; `intact`: whether the note that was seen last is there.
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
