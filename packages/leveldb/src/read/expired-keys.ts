import { CorruptEntry } from "@kv/core";
import type { Snapshot } from "../connection/driver.ts";
import type { ExpiryIndex } from "../stored/expiry-index.ts";

/** Beyond this many keys it is cheaper to look at every entry's deadline. */
const MOST = 2048;
/** Records read at a time, and handled without a pause. */
const PAGE = 4;

/**
 * The keys of entries that have expired and were not swept yet. They are few if sweeps run, and due records of the expiry
 * index name all of them, so a list or count of keys need not read the values of other entries. `undefined`: there are too
 * many of them, or a record was altered.
 */
export async function expiredKeys(
  snapshot: Snapshot,
  index: ExpiryIndex,
  now: number,
): Promise<ReadonlySet<string> | undefined> {
  const expired = new Set<string>();
  const records = snapshot.iterate(index.until(now), { values: true });
  let looks = 0;
  for (;;) {
    const page = await records.nextv(PAGE);
    if (page.length === 0) return expired;
    for (const [storedKey, value] of page) {
      const record = index.parse(storedKey, value);
      looks += record?.keys.length ?? 0;
      if (record === undefined || looks > MOST) return undefined;
      for (const key of record.keys) if (isExpired(snapshot, key, now)) expired.add(key);
    }
  }
}

function isExpired(snapshot: Snapshot, storedKey: string, now: number): boolean {
  const entry = snapshot.entry("", storedKey);
  return (
    entry !== undefined &&
    !(entry instanceof CorruptEntry) &&
    entry.expiresAt !== undefined &&
    entry.expiresAt <= now
  );
}
