import { type Query, query } from "../connection/query.ts";
import { LIVE } from "../stored/document.ts";
import { FAILED, logged, onDisk, REGISTERED, SYSTEM_ATTRIBUTES, synced } from "./write-parts.ts";

/** Unconditional sets, which most batches consist of: a statement that costs the server and the network less. */
function set(durable: boolean): Query {
  return query(
    durable ? "set, on disk" : "set",
    `
    ${REGISTERED}
    LET applied = (
      FOR w IN @sets
        LET prior = FIRST(
          FOR d IN @@entries
            FILTER d._key == w.doc._key AND ${LIVE}
            RETURN KEEP(d, "createdAt", "origin", "expiresAt", "reclaimAt")
        )
        LET doc = MERGE(@part, w.doc, { createdAt: now, updatedAt: now, origin: w.doc.revision },
          prior == null ? {} : KEEP(prior, "createdAt", "origin"),
          (w.keep AND prior.expiresAt != null) ? KEEP(prior, "expiresAt", "reclaimAt") : {})
        LET kind = (doc.expiresAt == null OR doc.expiresAt > now) ? "set" : prior == null ? null : "expire"
        RETURN { doc, change: kind == null ? null : [@namespace, doc.key, doc._key, kind, null] }
    )
    LET changes = applied[* FILTER CURRENT.change != null RETURN CURRENT.change]
    ${logged("changes")}
    LET written = (
      FOR w IN applied
        INSERT w.doc INTO @@entries OPTIONS { overwriteMode: "replace"${synced(durable)} }
        RETURN 1
    )
    RETURN [now, writer.until - now]`,
  );
}

/**
 * Commits that share no key, and have no key twice. The operations on a key (`w.op`):
 * `set` replaces, `delete` leaves a stub, `increment` adds, `touch` changes deadline or policy, `hold` changes nothing.
 * If a commit also writes other keys, an absent key gets a stub, so that a concurrent creation of that key conflicts.
 */
function put(durable: boolean): Query {
  return query(
    durable ? "commit, on disk" : "commit",
    `
    ${REGISTERED}
    LET plans = (
      FOR c IN @commits
        ${FAILED}
        LET writes = (
          FOR w IN c.writes
            FILTER LENGTH(failed) == 0
            LET prior = FIRST(
              FOR d IN @@entries
                FILTER d._key == w.doc._key AND ${LIVE}
                RETURN w.op == "set" ? KEEP(d, "createdAt", "origin", "expiresAt", "reclaimAt") : d
            )
            LET base = (w.op == "increment" AND prior != null) ? prior.value : 0
            LET sum = base + w.by
            LET whole = FLOOR(base) == base AND FLOOR(w.by) == w.by
            LET fault = w.op != "increment" ? 0
              : (prior != null AND prior.encoding == "json" AND prior.text != null) ? 2
              : (prior != null AND (prior.encoding != "json" OR NOT IS_NUMBER(prior.value))) ? 1
              : w.low == null ? ((sum == null OR (whole AND ABS(sum) > 9007199254740991)) ? 1 : 0)
              : (whole AND base + w.low >= -9007199254740991 AND base + w.high <= 9007199254740991) ? 0 : 2
            LET made = { createdAt: now, updatedAt: now, origin: w.doc.revision }
            LET stub = (c.several OR (w.op == "delete" AND prior != null))
              ? MERGE(@part, w.doc, { dead: true, expiresAt: 1, reclaimAt: 1 }) : null
            LET doc = w.op == "set"
              ? MERGE(@part, w.doc, made,
                  prior == null ? {} : { createdAt: prior.createdAt, origin: prior.origin },
                  (w.keep AND prior != null AND prior.expiresAt != null) ? KEEP(prior, "expiresAt", "reclaimAt") : {})
              : w.op == "increment"
              ? (prior == null
                  ? MERGE(@part, w.doc, made, { value: sum })
                  : MERGE(UNSET(prior, ${SYSTEM_ATTRIBUTES}), { value: sum, updatedAt: now, revision: w.doc.revision }))
              : (w.op == "delete" OR prior == null) ? stub
              : w.op == "touch" ? MERGE(UNSET(prior, APPEND([${SYSTEM_ATTRIBUTES}], w.unset)), w.patch)
              : UNSET(prior, ${SYSTEM_ATTRIBUTES})
            LET kind = (w.op == "hold" OR (prior == null AND w.op IN ["delete", "touch"])) ? null
              : w.op == "delete" ? "delete"
              : (doc.expiresAt != null AND doc.expiresAt <= now) ? (prior == null ? null : "expire")
              : w.op == "touch" ? "touch" : "set"
            RETURN { doc, fault, existed: prior != null, base, key: w.doc.key,
              change: kind == null ? null : [@namespace, w.doc.key, w.doc._key, kind, null] }
        )
        LET fault = FIRST(writes[* FILTER CURRENT.fault != 0])
        RETURN { failed, fault, writes }
    )
    LET applied = (
      FOR p IN plans
        FILTER LENGTH(p.failed) == 0 AND p.fault == null
        FOR w IN p.writes
          FILTER w.doc != null
          RETURN w
    )
    LET changes = applied[* FILTER CURRENT.change != null RETURN CURRENT.change]
    ${logged("changes")}
    LET written = (
      FOR w IN applied
        INSERT w.doc INTO @@entries OPTIONS { overwriteMode: "replace"${synced(durable)} }
        RETURN 1
    )
    RETURN [now, writer.until - now, plans[* RETURN [
      CURRENT.failed,
      CURRENT.fault == null ? null : [CURRENT.fault.fault, CURRENT.fault.key],
      CURRENT.writes[* RETURN [CURRENT.existed, CURRENT.base]]
    ]]]`,
  );
}

/** Commits that each consist of one deletion. */
function remove(durable: boolean): Query {
  return query(
    durable ? "delete, on disk" : "delete",
    `
    ${REGISTERED}
    LET plans = (
      FOR c IN @commits
        ${FAILED}
        LET existed = FIRST(
          FOR d IN @@entries
            FILTER d._key == c.id AND ${LIVE}
            RETURN true
        )
        RETURN { failed, id: c.id, key: c.key, existed: existed == true }
    )
    LET applied = plans[* FILTER LENGTH(CURRENT.failed) == 0 AND CURRENT.existed]
    LET changes = applied[* RETURN [@namespace, CURRENT.key, CURRENT.id, "delete", null]]
    ${logged("changes")}
    LET removed = (
      FOR p IN applied
        REMOVE { _key: p.id } IN @@entries${onDisk(durable)}
        RETURN 1
    )
    RETURN [now, writer.until - now, plans[* RETURN [CURRENT.failed, null, [[CURRENT.existed, 0]]]]]`,
  );
}

/**
 * Writes the outcome computed from the result of LOOK, if every document is unchanged since then, and no entry has expired
 * since.
 */
function swap(durable: boolean): Query {
  return query(
    durable ? "commit of what was looked at, on disk" : "commit of what was looked at",
    `
    ${REGISTERED}
    LET current = (
      FOR r IN @rows
        LET prior = FIRST(
          FOR d IN @@entries
            FILTER d._key == r.id
            RETURN r.doc == null ? d : { _rev: d._rev }
        )
        RETURN { same: prior._rev == r.rev, doc: r.doc == null ? UNSET(prior, ${SYSTEM_ATTRIBUTES}) : r.doc }
    )
    LET same = LENGTH(current[* FILTER NOT CURRENT.same]) == 0 AND (@before == null OR now < @before)
    LET changes = same ? @changed : []
    ${logged("changes")}
    LET written = (
      FOR r IN (same ? current : [])
        INSERT r.doc INTO @@entries OPTIONS { overwriteMode: "replace"${synced(durable)} }
        RETURN 1
    )
    RETURN [now, writer.until - now, same]`,
  );
}

/** Removes the first `limit` documents of a range, of one policy or of any. */
function clear(durable: boolean): Query {
  return query(
    durable ? "clear a slice, on disk" : "clear a slice",
    `
    ${REGISTERED}
    LET found = (
      FOR d IN @@entries
        FILTER d.n == @n AND d.k >= @from AND d.k < @to AND (@policy == null OR d.policy == @policy)
        SORT d.k ASC
        LIMIT @limit
        RETURN { id: d._key, k: d.k, key: d.key, live: ${LIVE} }
    )
    LET live = found[* FILTER CURRENT.live]
    LET changes = live[* RETURN [@namespace, CURRENT.key, CURRENT.id, "delete", null]]
    ${logged("changes")}
    LET removed = (
      FOR f IN found
        REMOVE { _key: f.id } IN @@entries${onDisk(durable)}
        RETURN 1
    )
    RETURN [now, writer.until - now, LENGTH(live), LENGTH(found), LAST(found).k]`,
  );
}

export interface WriteQueries {
  readonly set: Query;
  readonly put: Query;
  readonly remove: Query;
  readonly swap: Query;
  readonly clear: Query;
}

/** The statements of commits, by durability: `full` is acknowledged when it is on disk. */
export const WRITES: Readonly<Record<"full" | "normal", WriteQueries>> = {
  normal: { set: set(false), put: put(false), remove: remove(false), swap: swap(false), clear: clear(false) },
  full: { set: set(true), put: put(true), remove: remove(true), swap: swap(true), clear: clear(true) },
};

export const WRITE_QUERIES: readonly Query[] = [
  ...Object.values(WRITES.normal),
  ...Object.values(WRITES.full),
];
