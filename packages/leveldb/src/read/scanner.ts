import type { Namespace, Range, StoredEntry } from "@kv/core";
import type { Driver, Snapshot } from "../connection/driver.ts";
import type { LevelIterator } from "../level-database.ts";
import { LeveldbEntry } from "../stored/entry.ts";
import type { ExpiryIndex } from "../stored/expiry-index.ts";
import type { Layout } from "../stored/layout.ts";
import { expiredKeys } from "./expired-keys.ts";

/** Entries of the first page, and of the later ones. */
const FIRST = 128;
const PAGE = 1024;

/** The placeholder for the value in a scan of keys. */
const NOTHING = "000000001@0 0 0\n";

type Page = readonly StoredEntry[];

/** Reads ranges in pages, all from the state as of the first. */
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

  scan(namespace: Namespace, range: Range): AsyncIterable<Page> {
    return {
      [Symbol.asyncIterator]: () =>
        new Scan(this.#driver, this.#layout, namespace, range, this.#index, this.#clock),
    };
  }
}

/** One range being read. Not a generator, so that ending it early frees everything at once. */
class Scan implements AsyncIterator<Page> {
  readonly #driver: Driver;
  readonly #layout: Layout;
  readonly #namespace: Namespace;
  readonly #range: Range;
  readonly #index: ExpiryIndex;
  readonly #clock: () => number;
  #snapshot: Snapshot | undefined;
  #iterator: LevelIterator<string, string> | undefined;
  #expired: ReadonlySet<string> | undefined;
  #wanted: number;
  #size: number;
  #ended = false;

  constructor(
    driver: Driver,
    layout: Layout,
    namespace: Namespace,
    range: Range,
    index: ExpiryIndex,
    clock: () => number,
  ) {
    this.#driver = driver;
    this.#layout = layout;
    this.#namespace = namespace;
    this.#range = range;
    this.#index = index;
    this.#clock = clock;
    this.#wanted = range.limit;
    // A page costs a change of threads: a range with a limit is read at once; the caller may soon leave one without.
    this.#size = Math.min(PAGE, range.limit === Number.POSITIVE_INFINITY ? FIRST : range.limit);
  }

  async next(): Promise<IteratorResult<Page, undefined>> {
    if (this.#ended || this.#wanted <= 0) return this.#end();
    try {
      const iterator = this.#iterator ?? (await this.#begin());
      const found = await iterator.nextv(this.#size);
      const snapshot = this.#snapshot;
      if (found.length === 0 || snapshot === undefined) return this.#end();
      const page = this.#expired === undefined ? this.#entries(snapshot, found) : this.#keys(found);
      this.#wanted -= page.length;
      this.#size = Math.min(PAGE, this.#wanted);
      return { done: false, value: page };
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  return(): Promise<IteratorResult<Page, undefined>> {
    return Promise.resolve(this.#end());
  }

  async #begin(): Promise<LevelIterator<string, string>> {
    const { keysOnly, reverse } = this.#range;
    const snapshot = this.#driver.snapshot();
    this.#snapshot = snapshot;
    if (keysOnly) this.#expired = await expiredKeys(snapshot, this.#index, this.#clock());
    const values = this.#expired === undefined;
    this.#iterator = snapshot.iterate(this.#layout.range(this.#namespace, this.#range), { reverse, values });
    return this.#iterator;
  }

  #entries(snapshot: Snapshot, found: readonly [string, string][]): Page {
    const from = this.#layout.space(this.#namespace).length;
    const now = this.#clock();
    const entries: StoredEntry[] = [];
    for (const [storedKey, text] of found) {
      const entry = snapshot.found(storedKey.slice(from), storedKey, text);
      const { expiresAt } = entry;
      if (expiresAt === undefined || expiresAt > now) entries.push(entry);
    }
    return entries;
  }

  #keys(found: readonly [string, string][]): Page {
    const from = this.#layout.space(this.#namespace).length;
    const entries: StoredEntry[] = [];
    for (const [storedKey] of found) {
      if (this.#expired?.has(storedKey) === true) continue;
      entries.push(new LeveldbEntry(storedKey.slice(from), NOTHING, undefined));
    }
    return entries;
  }

  /** The driver releases its snapshot within this call or, if a page is being read, once that is done. */
  #end(): IteratorResult<Page, undefined> {
    this.#ended = true;
    void this.#snapshot?.close();
    this.#snapshot = undefined;
    return { done: true, value: undefined };
  }
}
