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
 *   | `revision` | of the last write |
 *   | `origin` | the revision of the write that made the key exist: a key that was deleted and made anew has another one |
 *   | `createdAt`, `updatedAt` | milliseconds since 1970 by the server's clock |
 *   | `expiresAt` | the deadline in milliseconds; absent: none. Index, sparse |
 *   | `reclaimAt` | seconds since 1970 at which the server may take the document out by itself; TTL index |
 *   | `policy`, `metadata` | `"persist"` or `"evict"`; the user's own, an object (or its JSON text, as with `text`) |
 *
 *   A document whose deadline has passed is absent for every query. A key that has to be written, so that two commits
 *   meet, although it is absent, is a stub: `dead: true`, with a deadline in 1970.
 * - `kv_changes` holds the changes that watchers read: a document for each query that wrote, added in the same transaction
 *   (`write-parts.ts`) and kept for ten minutes.
 * - `kv_system` holds `layout`, what stores over the same data have to agree on; a document for every namespace that was
 *   written to and is not empty for long (`emptySince`, milliseconds); and one for each writer (`write-lanes.ts`): `until` when it may begin statements, and `watchedUntil`
 *   when watchers look at it, both in milliseconds; index `["kind", "watchedUntil"]`.
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

/** The `_key` of the document that says how the data are laid out. */
export const LAYOUT_KEY = "layout";
/** The layout that this version of the adapter writes. */
export const LAYOUT_VERSION = 1;

/** Milliseconds that a watcher may go without looking. One that did not look for longer is told to read everything again. */
export const WATCH_GAP_MS = 300_000;
/** Milliseconds that a change is kept: longer than any watcher needs it. */
export const CHANGES_KEPT_MS: number = 2 * WATCH_GAP_MS;
/**
 * Milliseconds that a document stays behind its deadline, before the server itself takes it out: that is noted nowhere, so
 * every watcher must have seen it before. A minute on top, since the servers of a cluster have clocks of their own.
 */
export const RECLAIM_AFTER_MS: number = WATCH_GAP_MS + 60_000;
/** Milliseconds that a writer's registration holds. It is renewed when half of them are over. */
export const LEASE_MS = 900_000;
/** Seconds after which the server gives up a write: no query outlives what it relies on. */
export const MAX_RUNTIME_S = 60;
/**
 * Milliseconds that watchers go on looking at a writer whose registration has ended: a statement that began before may run
 * on. A minute on top, since the servers of a cluster have clocks of their own.
 */
export const FAREWELL_MS: number = MAX_RUNTIME_S * 1000 + 60_000;
