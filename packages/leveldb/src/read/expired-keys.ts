import { CorruptEntry } from "@kv/core";
import type { Snapshot } from "../connection/driver.ts";
import type { ExpiryIndex } from "../stored/expiry-index.ts";

/** Keys beyond which it is cheaper to look at every entry's deadline. */
const MOST = 2048;
/** Records read at a time, and looked into without a pause. */
const PAGE = 4;

/**
 * The keys of entries that have expired and were not swept yet. They are few where sweeps run, and all of them are named
 * by records of the expiry index that are due; so that a list or a count of keys need not read any value.
 * `undefined`: there are too many of them, or a record was altered.
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
