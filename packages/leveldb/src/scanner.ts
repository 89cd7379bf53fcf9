import type { Namespace, Range, StoredEntry } from "@kv/core";
import type { Driver, Snapshot } from "./driver.ts";
import { LeveldbEntry } from "./entry.ts";
import type { ExpiryIndex } from "./expiry-index.ts";
import { lapsedKeys } from "./lapsed.ts";
import type { Layout, StoredBounds } from "./layout.ts";

/** Entries of the first page, and of the later ones. */
const FIRST = 128;
const PAGE = 1024;

/** What stands in the entries of a scan of keys. */
const NOTHING = "000000001@0 0 0\n";

/** Reads ranges in pages, all of them in the state as of the first. */
export class Scanner {
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

  async *scan(namespace: Namespace, range: Range): AsyncGenerator<readonly StoredEntry[]> {
    const bounds = this.#layout.range(namespace, range);
    const snapshot = this.#driver.snapshot();
    try {
      const from = this.#layout.space(namespace).length;
      const keys = range.keysOnly ? await lapsedKeys(snapshot, this.#index, this.#clock()) : undefined;
      if (keys === undefined) yield* this.#entries(snapshot, bounds, range, from);
      else yield* this.#keys(snapshot, bounds, range, from, keys);
    } finally {
      await snapshot.close();
    }
  }

  async *#entries(
    snapshot: Snapshot,
    bounds: StoredBounds,
    { reverse, limit }: Range,
    from: number,
  ): AsyncGenerator<readonly StoredEntry[]> {
    const iterator = snapshot.iterate(bounds, { reverse, values: true });
    let wanted = limit;
    for (let size = Math.min(PAGE, firstSize(limit)); wanted > 0; size = Math.min(PAGE, wanted)) {
      const found = await iterator.nextv(size);
      if (found.length === 0) return;
      const entries: StoredEntry[] = [];
      const now = this.#clock();
      for (const [storedKey, text] of found) {
        const entry = snapshot.found(storedKey.slice(from), storedKey, text);
        const { expiresAt } = entry;
        if (expiresAt === undefined || expiresAt > now) entries.push(entry);
      }
      wanted -= entries.length;
      yield entries;
    }
  }

  async *#keys(
    snapshot: Snapshot,
    bounds: StoredBounds,
    { reverse, limit }: Range,
    from: number,
    lapsed: ReadonlySet<string>,
  ): AsyncGenerator<readonly StoredEntry[]> {
    const iterator = snapshot.iterate(bounds, { reverse, values: false });
    for (let wanted = limit; wanted > 0; ) {
      const found = await iterator.nextv(Math.min(PAGE, wanted));
      if (found.length === 0) return;
      const entries: StoredEntry[] = [];
      for (const [storedKey] of found) {
        if (!lapsed.has(storedKey)) entries.push(new LeveldbEntry(storedKey.slice(from), NOTHING, undefined));
      }
      wanted -= entries.length;
      yield entries;
    }
  }
}

/** A page costs a change of threads: a range with a limit is read at once, one without may soon be left. */
function firstSize(limit: number): number {
  return limit === Number.POSITIVE_INFINITY ? FIRST : limit;
}
