import { type Query, query } from "../connection/query.ts";
import { LIVE, ROW } from "../stored/document.ts";

const WITHIN = "d.n == @n AND d.k >= @from AND d.k < @to";

/** The entries of some documents. Their keys are constants, so the primary index is used. */
export const READ: Query = query(
  "read",
  `
    LET now = DATE_NOW()
    FOR d IN @@entries
      FILTER d._key IN @ids AND ${LIVE}
      RETURN [d._key, ${ROW}]`,
);

/** The documents of some keys, expired or not, and the server's time. */
export const LOOK: Query = query(
  "look before a commit",
  `
    LET now = DATE_NOW()
    LET found = (
      FOR d IN @@entries
        FILTER d._key IN @ids
        RETURN [d._key, d._rev, ${LIVE}, d.origin, ${ROW}]
    )
    RETURN [now, found]`,
);

function scan(direction: "ASC" | "DESC", returned: string, name: string): Query {
  return query(
    name,
    `
    LET now = DATE_NOW()
    FOR d IN @@entries
      FILTER ${WITHIN} AND ${LIVE}
      SORT d.k ${direction}
      LIMIT @limit
      RETURN ${returned}`,
  );
}

/** A page of a range, from the last key of the one before; the server does not have to keep a cursor. */
export const SCAN: Readonly<Record<"forward" | "reverse" | "forwardKeys" | "reverseKeys", Query>> = {
  forward: scan("ASC", ROW, "page of a range"),
  reverse: scan("DESC", ROW, "page of a range, descending"),
  forwardKeys: scan("ASC", "[d.key]", "page of keys"),
  reverseKeys: scan("DESC", "[d.key]", "page of keys, descending"),
};

export const COUNT: Query = query(
  "count",
  `
    LET now = DATE_NOW()
    FOR d IN @@entries
      FILTER ${WITHIN} AND ${LIVE}
      COLLECT WITH COUNT INTO entries
      RETURN entries`,
);

export const STATS: Query = query(
  "stats",
  `
    LET now = DATE_NOW()
    FOR d IN @@entries
      FILTER ${WITHIN} AND ${LIVE}
      COLLECT AGGREGATE
        entries = SUM(1),
        expiring = SUM(d.expiresAt == null ? 0 : 1),
        evictable = SUM(d.policy == "evict" ? 1 : 0)
      RETURN [entries, expiring, evictable]`,
);

/** The listed namespaces, each with whether it holds a live entry. */
export const NAMESPACES: Query = query(
  "namespaces below",
  `
    LET now = DATE_NOW()
    FOR s IN @@system
      FILTER s.kind == "namespace" AND s.n >= @from AND s.n < @to
      SORT s.n
      LIMIT @limit
      LET live = FIRST(
        FOR d IN @@entries
          FILTER d.n == s.n AND ${LIVE}
          LIMIT 1
          RETURN 1
      )
      RETURN [s.n, s.id, live != null]`,
);

export const READ_QUERIES: readonly Query[] = [READ, LOOK, ...Object.values(SCAN), COUNT, STATS, NAMESPACES];
