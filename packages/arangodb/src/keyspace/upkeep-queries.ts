import { type Query, query } from "../connection/query.ts";
import { CHANGES_KEPT_MS, FAREWELL_MS, LEASE_MS } from "../stored/layout.ts";
import { logged } from "../write/write-parts.ts";

/** How many documents a statement removes at most: it is one transaction, and other stores may write the same keys. */
export const SLICE = 1000;

/** Removes some expired entries of any namespace. Stubs are not entries, so they are not reported to watchers. */
export const SWEEP: Query = query(
  "sweep a slice",
  `
    LET now = DATE_NOW()
    FOR writer IN @@system
      FILTER writer._key == @writer AND writer.until > now
    LET found = (
      FOR d IN @@entries
        FILTER d.expiresAt > 0 AND d.expiresAt <= now
        LIMIT @limit
        RETURN { id: d._key, dead: d.dead == true, change: [d.namespace, d.key, d._key, "expire", d.expiresAt] }
    )
    LET entries = found[* FILTER NOT CURRENT.dead]
    LET changes = entries[* RETURN CURRENT.change]
    ${logged("changes")}
    LET removed = (
      FOR f IN found
        REMOVE { _key: f.id } IN @@entries
        RETURN 1
    )
    RETURN [now, writer.until - now, LENGTH(entries), LENGTH(found)]`,
);

/**
 * Lists a writer or a namespace, and renews or ends a writer's registration. A statement that finds `until` at 0 does nothing;
 * one that began earlier goes on, so watchers check the writer for a while longer.
 */
export const REGISTER: Query = query(
  "register writers and namespaces",
  `
    LET now = DATE_NOW()
    FOR doc IN @docs
      LET lease = doc.ended == true ? 0 : ${LEASE_MS}
      LET watchedUntil = now + lease + ${FAREWELL_MS}
      LET times = {
        until: lease == 0 ? 0 : now + lease, watchedUntil,
        reclaimAt: CEIL((watchedUntil + ${CHANGES_KEPT_MS}) / 1000)
      }
      INSERT MERGE(doc, doc.kind == "writer" ? times : {}) INTO @@system OPTIONS { overwriteMode: "replace" }
      RETURN 1`,
);

/** Seconds that a document which the server should remove may be overdue before a sweep removes it. */
const OVERDUE_S = 60;

/**
 * Removes notes and writers that the server's own thread for TTL indexes has not removed: it may be slow, or turned off. The
 * oldest note of each writer shows whether any is overdue.
 */
export const PURGE: Query = query(
  "remove what is overdue of the log",
  `
    LET overdue = DATE_NOW() / 1000 - ${OVERDUE_S}
    LET notes = (
      FOR w IN @@system
        FILTER w.kind == "writer"
        LET oldest = FIRST(
          FOR c IN @@changes
            FILTER c.writer == w._key
            SORT c.number ASC
            LIMIT 1
            RETURN c.reclaimAt
        )
        FILTER oldest != null AND oldest <= overdue
        LET own = (
          FOR c IN @@changes
            FILTER c.writer == w._key
            SORT c.number ASC
            LIMIT @limit
            RETURN { id: c._key, reclaimAt: c.reclaimAt }
        )
        FOR c IN own
          FILTER c.reclaimAt <= overdue
          LIMIT @limit
          RETURN c.id
    )
    LET writers = (
      FOR w IN (LENGTH(notes) < @limit ? [1] : [])
        FOR s IN @@system
          FILTER s.kind == "writer" AND s.reclaimAt > 0 AND s.reclaimAt <= overdue
          LIMIT @limit
          RETURN s._key
    )
    LET removedNotes = (
      FOR id IN notes
        REMOVE { _key: id } IN @@changes
        RETURN 1
    )
    LET removedWriters = (
      FOR id IN writers
        REMOVE { _key: id } IN @@system
        RETURN 1
    )
    RETURN LENGTH(notes) + LENGTH(writers)`,
);

/**
 * Marks listed namespaces that hold no document. A write needs its namespace listed without a mark, and lists it again if
 * necessary: once every statement that began before the mark has ended, a namespace that is still empty stays empty.
 */
export const MARK_EMPTY: Query = query(
  "mark empty namespaces",
  `
    LET now = DATE_NOW()
    LET page = (
      FOR s IN @@system
        FILTER s.kind == "namespace" AND s.n >= @after
        SORT s.n ASC
        LIMIT @limit
        LET used = FIRST(FOR d IN @@entries FILTER d.n == s.n LIMIT 1 RETURN true)
        RETURN { id: s._key, n: s.n, emptySince: s.emptySince, used: used == true }
    )
    LET marked = (
      FOR s IN page
        FILTER NOT s.used AND s.emptySince == null
        UPDATE { _key: s.id } WITH { emptySince: now } IN @@system
        RETURN 1
    )
    RETURN [
      LENGTH(page), LAST(page).n,
      page[* FILTER NOT CURRENT.used AND CURRENT.emptySince <= now - ${FAREWELL_MS} AND CURRENT.emptySince > 0 RETURN CURRENT.id]
    ]`,
);

/** Removes namespaces from the list that were marked long enough ago, and are still empty. */
export const UNLIST: Query = query(
  "take empty namespaces off the list",
  `
    LET now = DATE_NOW()
    FOR s IN @@system
      FILTER s._key IN @ids AND s.emptySince > 0 AND s.emptySince <= now - ${FAREWELL_MS}
      LET used = FIRST(FOR d IN @@entries FILTER d.n == s.n LIMIT 1 RETURN true)
      FILTER used == null
      REMOVE { _key: s._key } IN @@system`,
);

export const UPKEEP_QUERIES: readonly Query[] = [SWEEP, REGISTER, PURGE, MARK_EMPTY, UNLIST];
