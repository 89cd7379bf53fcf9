/**
 * What is stored, and where. A store is four collections of one database, named after the option `collection`:
 *
 * - `kv` holds the entries, a document each:
 *
 *   | attribute | |
 *   |---|---|
 *   | `_key` | a hash of namespace and key (`keys.ts`) |
 *   | `n`, `k` | the namespace's id and the key, encoded so that every server orders them by bytes; index `["n", "k"]` |
 *   | `namespace`, `key` | the same, to be read and queried: `"tenant/a/"`, every segment followed by `/`, and the key |
 *   | `value`, `text` or `bytes` | the payload: a JSON value; text; bytes in base64 (`stored-value.ts`) |
 *   | `encoding` | the codec that wrote it |
 *   | `revision` | the last write's |
 *   | `origin` | the revision of the write that created the key: a key that is deleted and created again gets another one |
 *   | `createdAt`, `updatedAt` | milliseconds since 1970 by the server's clock |
 *   | `expiresAt` | the deadline in milliseconds; absent: none. Index, sparse |
 *   | `reclaimAt` | seconds since 1970 at which the server may remove the document by itself; TTL index |
 *   | `policy`, `metadata` | `"persist"` or `"evict"`; the user's own, an object (or its JSON text, as with `text`) |
 *
 *   A document whose deadline has passed is absent for every query. If an absent key must be written, so that two commits
 *   conflict, its document is a stub: `dead: true`, with a deadline in 1970.
 * - `kv_changes` holds the changes that watchers read: a document for each query that wrote, added in the same transaction
 *   (`write-parts.ts`) and kept for ten minutes.
 * - `kv_system` holds `layout`, the options that stores over the same data must share; a document for every namespace that was
 *   written to and has not been empty for long (`emptySince`, milliseconds); and one for each writer (`write-lanes.ts`): `until`, up to which it may begin
 *   statements, and `watchedUntil`, up to which watchers check it, both in milliseconds; index `["kind", "watchedUntil"]`.
 * - `kv_links` holds links between entries: edges (`links.ts`).
 */
export interface Layout {
  readonly entries: string;
  readonly changes: string;
  readonly system: string;
  readonly links: string;
}

export function layoutOf(collection: string): Layout {
  return {
    entries: collection,
    changes: `${collection}_changes`,
    system: `${collection}_system`,
    links: `${collection}_links`,
  };
}

/** The `_key` of the document that records how the data are laid out. */
export const LAYOUT_KEY = "layout";
/** The layout that this version of the adapter writes. */
export const LAYOUT_VERSION = 1;

/** Milliseconds that a watcher may go without polling. After a longer gap it receives `resync`. */
export const WATCH_GAP_MS = 300_000;
/** Milliseconds that a change is kept: longer than any watcher needs it. */
export const CHANGES_KEPT_MS: number = 2 * WATCH_GAP_MS;
/**
 * Milliseconds that a document stays after its deadline, before the server itself removes it: that leaves no note, so every
 * watcher must have seen it before. One minute is added, since the servers of a cluster have separate clocks.
 */
export const RECLAIM_AFTER_MS: number = WATCH_GAP_MS + 60_000;
/** Milliseconds that a writer's registration holds. It is renewed when half of them are over. */
export const LEASE_MS = 900_000;
/** Seconds after which the server aborts a write: no query outlives the registration it relies on. */
export const MAX_RUNTIME_S = 60;
/**
 * Milliseconds that watchers go on reading a writer's notes after its registration has ended: an earlier statement may still
 * be running. One minute is added, since the servers of a cluster have separate clocks.
 */
export const FAREWELL_MS: number = MAX_RUNTIME_S * 1000 + 60_000;
