import { type Query, query } from "../connection/query.ts";
import { LIVE } from "../stored/document.ts";
import { onDisk, synced } from "../write/write-parts.ts";

/** The direction in which links are followed: forwards, backwards, or both. */
export type Direction = "out" | "in" | "any";

export const DIRECTIONS: readonly Direction[] = ["out", "in", "any"];

/** The most links between two related entries. */
export const MAX_DEPTH = 10;

/** Links entries that both exist. By `origin`, a link belongs to this entry, not to a later one of the same key. */
function link(durable: boolean): Query {
  return query(
    durable ? "link, on disk" : "link",
    `
    LET now = DATE_NOW()
    LET docs = (
      FOR l IN @wanted
        LET from = FIRST(FOR d IN @@entries FILTER d._key == l.from AND ${LIVE} RETURN { id: d._id, origin: d.origin })
        LET to = FIRST(FOR d IN @@entries FILTER d._key == l.to AND ${LIVE} RETURN { id: d._id, origin: d.origin })
        LET ends = { _from: from.id, _to: to.id, fromOrigin: from.origin, toOrigin: to.origin, createdAt: now }
        RETURN (from == null OR to == null) ? null : MERGE(l, ends)
    )
    LET linked = (
      FOR doc IN docs
        FILTER doc != null
        INSERT doc INTO @@links OPTIONS { overwriteMode: "replace"${synced(durable)} }
        RETURN 1
    )
    RETURN docs[* RETURN CURRENT != null]`,
  );
}

/** Returns whether it was a link between existing entries: other links count as gone. */
function unlink(durable: boolean): Query {
  return query(
    durable ? "unlink, on disk" : "unlink",
    `
    LET now = DATE_NOW()
    FOR e IN @@links
      FILTER e._key == @id
      LET from = FIRST(FOR d IN @@entries FILTER d._key == e.from AND ${LIVE} RETURN d.origin)
      LET to = FIRST(FOR d IN @@entries FILTER d._key == e.to AND ${LIVE} RETURN d.origin)
      REMOVE { _key: e._key } IN @@links${onDisk(durable)}
      RETURN from == e.fromOrigin AND to == e.toOrigin`,
  );
}

/** The statements that write links, by durability: `full` is acknowledged when it is on disk. */
export const LINKS: Readonly<Record<"full" | "normal", { readonly link: Query; readonly unlink: Query }>> = {
  normal: { link: link(false), unlink: unlink(false) },
  full: { link: link(true), unlink: unlink(true) },
};

/** Removes links whose entries are gone, from one page of all links. */
export const COLLECT_LINKS: Query = query(
  "collect dead links",
  `
    LET now = DATE_NOW()
    LET page = (
      FOR e IN @@links
        FILTER e.k >= @after
        SORT e.k ASC
        LIMIT @limit
        RETURN KEEP(e, "_key", "k", "from", "to", "fromOrigin", "toOrigin")
    )
    LET dead = (
      FOR e IN page
        LET from = FIRST(FOR d IN @@entries FILTER d._key == e.from AND ${LIVE} RETURN d.origin)
        LET to = FIRST(FOR d IN @@entries FILTER d._key == e.to AND ${LIVE} RETURN d.origin)
        FILTER from != e.fromOrigin OR to != e.toOrigin
        RETURN e._key
    )
    LET removed = (
      FOR id IN dead
        REMOVE { _key: id } IN @@links
        RETURN 1
    )
    RETURN [LENGTH(page), LAST(page).k]`,
);

const OUT = `FOR e IN @@links
            FILTER e._from == s.id AND e.fromOrigin == s.origin
              AND (@types == null OR e.type IN @types)
            RETURN { id: e.to, origin: e.toOrigin }`;

const IN = `FOR e IN @@links
            FILTER e._to == s.id AND e.toOrigin == s.origin
              AND (@types == null OR e.type IN @types)
            RETURN { id: e.from, origin: e.fromOrigin }`;

const NEXT: Readonly<Record<Direction, string>> = {
  out: `(
          ${OUT}
        )`,
  in: `(
          ${IN}
        )`,
  any: `UNION((
          ${OUT}
        ), (
          ${IN}
        ))`,
};

/**
 * The entries related to an entry, level by level: each at the least number of links between them. It does not use the server's
 * own traversal, which decides which vertices it has visited before it tests any condition on edges: a link of another type,
 * or to an entry that is gone, could hide one that counts.
 */
function related(direction: Direction, depth: number): Query {
  let levels = "";
  for (let level = 1; level <= depth; level++) {
    levels += `
    LET level${level} = (
      FOR s IN level${level - 1}
        FOR next IN ${NEXT[direction]}
          FILTER next.id NOT IN seen${level - 1}
          FOR d IN @@entries
            FILTER d._key == next.id AND d.origin == next.origin AND ${LIVE}
              AND d.n == @n AND d.k >= @from AND d.k < @to
            RETURN DISTINCT { id: d._id, document: d._key, origin: d.origin, key: d.key }
    )
    LET seen${level} = APPEND(seen${level - 1}, level${level}[*].document)`;
  }
  const keys = Array.from({ length: depth }, (_, i) => `level${i + 1}[*].key`);
  return query(
    `related, ${direction}, to a depth of ${depth}`,
    `
    LET now = DATE_NOW()
    LET level0 = (
      FOR d IN @@entries
        FILTER d._key == @start AND ${LIVE}
        RETURN { id: d._id, origin: d.origin }
    )
    LET seen0 = [@start]${levels}
    RETURN [${keys.join(", ")}]`,
  );
}

/** The statements by direction, and by depth minus one. */
export const RELATED: Readonly<Record<Direction, readonly Query[]>> = {
  out: statements("out"),
  in: statements("in"),
  any: statements("any"),
};

function statements(direction: Direction): Query[] {
  return Array.from({ length: MAX_DEPTH }, (_, i) => related(direction, i + 1));
}

export const LINK_QUERIES: readonly Query[] = [
  ...Object.values(LINKS.normal),
  ...Object.values(LINKS.full),
  COLLECT_LINKS,
  ...DIRECTIONS.flatMap((direction) => RELATED[direction]),
];
