import { LIVE } from "../stored/document.ts";
import { CHANGES_KEPT_MS } from "../stored/layout.ts";

/**
 * The statements that write. Each is one transaction: checks, mutations and what watchers are told take effect together
 * or not at all. Each begins by finding its writer's and its namespace's registration, in the snapshot that it works on:
 * where one is missing there is no result, and nothing was written.
 *
 * A statement may write to a collection only once, and not read it afterwards. So all documents are computed first, and
 * then put in place by one INSERT that replaces what is there; what is deleted beside other writes is replaced by a stub.
 * Every key that a commit depends on is written, be it as it was: two commits that depend on each other then meet.
 */
export const REGISTERED: string = `LET now = DATE_NOW()
    FOR writer IN @@system
      FILTER writer._key == @writer AND writer.until > now
    FOR space IN @@system
      FILTER space._key == @space AND space.emptySince == null`;

/** Puts down what was changed, as the query's one document of the log. */
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

/** Beside other options. */
export function synced(durable: boolean): string {
  return durable ? ", waitForSync: true" : "";
}

/** The options of a removal. */
export function onDisk(durable: boolean): string {
  return durable ? " OPTIONS { waitForSync: true }" : "";
}

/** Of each commit: the keys whose check did not hold. */
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
