import { type Bounds, CorruptEntry, type Namespace } from "@kv/core";
import type { Driver, Snapshot } from "../connection/driver.ts";
import { expiredKeys } from "../read/expired-keys.ts";
import type { ExpiryIndex } from "../stored/expiry-index.ts";
import type { Layout, StoredBounds } from "../stored/layout.ts";

const PAGE = 1024;

export interface Totals {
  readonly keys: number;
  readonly expiring: number;
  readonly evictable: number;
  readonly bytes: number;
}

/** Counts by walking over the entries: LevelDB keeps no counts. */
export class Tally {
  readonly #driver: Driver;
  readonly #layout: Layout;
  readonly #index: ExpiryIndex;
  readonly #clock: () => number;

  constructor(driver: Driver, layout: Layout, index: ExpiryIndex, clock: () => number) {
    this.#driver = driver;
    this.#layout = layout;
    this.#index = index;
    this.#clock = clock;
  }

  /** Reads keys only, and values only of expired entries. */
  count(namespace: Namespace, bounds: Bounds): Promise<number> {
    return this.#within(async (snapshot) => {
      const range = this.#layout.range(namespace, bounds);
      const expired = await expiredKeys(snapshot, this.#index, this.#clock());
      if (expired === undefined) return (await this.#totals(snapshot, range)).keys;
      const iterator = snapshot.iterate(range, { values: false });
      let count = 0;
      for (;;) {
        const page = await iterator.nextv(PAGE);
        if (page.length === 0) return count;
        count += page.length;
        if (expired.size > 0) for (const [storedKey] of page) if (expired.has(storedKey)) count--;
      }
    });
  }

  totals(namespace: Namespace, bounds: Bounds): Promise<Totals> {
    return this.#within((snapshot) => this.#totals(snapshot, this.#layout.range(namespace, bounds)));
  }

  async #totals(snapshot: Snapshot, range: StoredBounds): Promise<Totals> {
    const totals = { keys: 0, expiring: 0, evictable: 0, bytes: 0 };
    const iterator = snapshot.iterate(range, { values: true });
    for (;;) {
      const page = await iterator.nextv(PAGE);
      if (page.length === 0) return totals;
      const now = this.#clock();
      for (const [storedKey, text] of page) {
        const entry = snapshot.found("", storedKey, text);
        const { expiresAt } = entry;
        if (expiresAt !== undefined && expiresAt <= now) continue;
        totals.keys++;
        // All that is known about an altered entry is that it exists.
        if (entry instanceof CorruptEntry) continue;
        if (expiresAt !== undefined) totals.expiring++;
        if (entry.policy === "evict") totals.evictable++;
        totals.bytes += entry.size;
      }
    }
  }

  async #within<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    const snapshot = this.#driver.snapshot();
    try {
      return await work(snapshot);
    } finally {
      await snapshot.close();
    }
  }
}
