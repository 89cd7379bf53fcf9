import { LIVE } from "../stored/document.ts";
import { CHANGES_KEPT_MS } from "../stored/layout.ts";

/**
 * Parts of the statements that write. Each statement is one transaction: checks, mutations and the note for watchers take
 * effect together or not at all. It first looks up the registrations of its writer and its namespace, in its own snapshot:
 * if one is missing, there is no result, and nothing was written.
 *
 * A statement may write to a collection only once, and must not read it afterwards. So it computes all documents first, and
 * then writes them with one replacing INSERT; a deletion beside other writes leaves a stub. Every key that a commit depends
 * on is written, even if unchanged: two commits that depend on each other then conflict.
 */
export const REGISTERED: string = `LET now = DATE_NOW()
    FOR writer IN @@system
      FILTER writer._key == @writer AND writer.until > now
    FOR space IN @@system
      FILTER space._key == @space AND space.emptySince == null`;

/** Adds the changes to the log, as the statement's one document. */
export function logged(changes: string): string {
  return `LET logged = (
      FOR log IN (LENGTH(${changes}) == 0 ? [] : [1])
        INSERT {
          writer: @writer, number: @number, at: now, reclaimAt: CEIL((now + ${CHANGES_KEPT_MS}) / 1000),
          changes: ${changes}
        } INTO @@changes
        RETURN 1
    )`;
}

/** The option for durability, after other options. */
export function synced(durable: boolean): string {
  return durable ? ", waitForSync: true" : "";
}

/** The OPTIONS clause of a removal. */
export function onDisk(durable: boolean): string {
  return durable ? " OPTIONS { waitForSync: true }" : "";
}

/** For each commit, the keys whose check failed. */
export const FAILED: string = `LET failed = (
          FOR check IN c.checks
            LET found = FIRST(
              FOR d IN @@entries
                FILTER d._key == check.id AND ${LIVE}
                RETURN d.revision
            )
            FILTER found != check.revision
            RETURN check.key
        )`;

export const SYSTEM_ATTRIBUTES: string = `"_id", "_rev"`;
