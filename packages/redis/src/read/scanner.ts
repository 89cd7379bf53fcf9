import { type Bounds, compareKeys, type Namespace, type Range, type StoredEntry } from "@kv/core";
import type { Link } from "../connection/link.ts";
import { EXIST } from "../scripts/keyspace-scripts.ts";
import { RedisEntry } from "../stored/entry.ts";
import type { Layout, Space } from "../stored/layout.ts";
import { lexBounds } from "../stored/lex-bounds.ts";
import type { Reader } from "./reader.ts";

/** Keys per page. */
const PAGE = 256;
/** Stands for an entry if only keys are wanted. */
const NOTHING = Buffer.from(`${"0".repeat(26)}${"-".repeat(16)}pb-${"0".repeat(16)}`);

/** A page of keys. */
interface KeyPage {
  readonly keys: readonly string[];
  /** Whether any entry of the space has a deadline: if not, all of the keys exist. */
  readonly expiring: boolean;
}

interface Fetched {
  readonly size: number;
  readonly page: Promise<KeyPage>;
}

/** Ranges in key order: pages of keys from the index, then their entries, while the next page is already being fetched. */
export class Scanner {
  readonly #link: Link;
  readonly #layout: Layout;
  readonly #reader: Reader;

  constructor(link: Link, layout: Layout, reader: Reader) {
    this.#link = link;
    this.#layout = layout;
    this.#reader = reader;
  }

  scan(namespace: Namespace, range: Range): AsyncIterable<readonly StoredEntry[]> {
    const spaces = this.#layout.spaces(namespace);
    const [only] = spaces;
    if (only !== undefined && spaces.length === 1) return this.#space(only, range, PAGE);
    // Each of many partitions contributes a small part of a page.
    const size = Math.max(16, Math.ceil((PAGE * 2) / spaces.length));
    return merged(
      spaces.map((space) => this.#space(space, range, size)),
      range,
    );
  }

  /** The keys of a space in pages, including those of expired entries. */
  async *keys(index: string, bounds: Bounds, size: number): AsyncGenerator<readonly string[]> {
    const [first, most] = lexBounds(bounds);
    const fetch = (least: string): Promise<unknown> => {
      const page = this.#link.call("ZRANGEBYLEX", [index, least, most, "LIMIT", "0", String(size)]);
      // It may fail after the reader has stopped.
      page.catch(() => undefined);
      return page;
    };
    for (let coming: Promise<unknown> | undefined = fetch(first); coming !== undefined; ) {
      const keys: string[] = ((await coming) as Buffer[]).map(String);
      coming = keys.length < size ? undefined : fetch(`(${keys.at(-1)}`);
      if (keys.length > 0) yield keys;
    }
  }

  async *#space(space: Space, range: Range, pageSize: number): AsyncGenerator<readonly StoredEntry[]> {
    const { reverse, keysOnly } = range;
    let [least, most] = lexBounds(range);
    let left = range.limit;
    const fetch = (size: number): Fetched => {
      const page = this.#page(space, least, most, size, range);
      // It may fail after the reader has stopped.
      page.catch(() => undefined);
      return { size, page };
    };
    for (let coming = fetch(Math.min(pageSize, left)); ; ) {
      const { keys, expiring } = await coming.page;
      const last = keys.at(-1);
      if (last === undefined) return;
      if (reverse) most = `(${last}`;
      else least = `(${last}`;
      const isLast = keys.length < coming.size;
      // How many are still to be read, if none of these has expired.
      const missing = left - keys.length;
      const next = isLast || missing === 0 ? undefined : fetch(Math.min(pageSize, missing));
      const entries = await this.#entries(space, keys, keysOnly, expiring);
      left -= entries.length;
      if (entries.length > 0) yield entries;
      if (isLast || left === 0) return;
      coming = next ?? fetch(Math.min(pageSize, left));
    }
  }

  async #page(space: Space, least: string, most: string, size: number, range: Range): Promise<KeyPage> {
    const { reverse, keysOnly } = range;
    const bounds = reverse ? [most, least] : [least, most];
    const [keys, deadlines] = await Promise.all([
      this.#link.call(reverse ? "ZREVRANGEBYLEX" : "ZRANGEBYLEX", [
        space.keys,
        ...bounds,
        "LIMIT",
        "0",
        String(size),
      ]),
      keysOnly ? this.#link.call("ZCARD", [space.due]) : 1,
    ]);
    return { keys: (keys as Buffer[]).map(String), expiring: deadlines !== 0 };
  }

  async #entries(
    space: Space,
    keys: readonly string[],
    keysOnly: boolean,
    expiring: boolean,
  ): Promise<StoredEntry[]> {
    if (keys.length === 0) return [];
    if (!keysOnly) {
      const entries = await this.#reader.within(space, keys);
      return entries.filter((entry) => entry !== undefined);
    }
    const stubs = keys.map((key) => new RedisEntry(key, NOTHING));
    if (!expiring) return stubs;
    const names = keys.map((key) => space.entries + key);
    const found = (await this.#link.query(EXIST, names, [])) as number[];
    return stubs.filter((_, i) => found[i] === 1);
  }
}

interface Source {
  readonly pages: AsyncGenerator<readonly StoredEntry[]>;
  page: readonly StoredEntry[];
  at: number;
}

/** Several ordered sources as one. */
async function* merged(
  generators: readonly AsyncGenerator<readonly StoredEntry[]>[],
  { reverse, limit }: Range,
): AsyncGenerator<readonly StoredEntry[]> {
  const advance = async (source: Source): Promise<boolean> => {
    const { done, value } = await source.pages.next();
    source.page = done === true ? [] : value;
    source.at = 0;
    return done !== true;
  };
  let sources: Source[] = generators.map((pages) => ({ pages, page: [], at: 0 }));
  let left = limit;
  try {
    const alive = await Promise.all(sources.map(advance));
    sources = sources.filter((_, i) => alive[i]);
    while (sources.length > 0 && left > 0) {
      const page: StoredEntry[] = [];
      // Until one of the sources needs its next page.
      let dry: Source | undefined;
      while (dry === undefined && page.length < left) {
        let best = sources[0] as Source;
        for (const source of sources) {
          const order = compareKeys(keyOf(source), keyOf(best));
          if (reverse ? order > 0 : order < 0) best = source;
        }
        page.push(best.page[best.at++] as StoredEntry);
        if (best.at === best.page.length) dry = best;
      }
      left -= page.length;
      yield page;
      if (dry !== undefined && left > 0 && !(await advance(dry)))
        sources = sources.filter((source) => source !== dry);
    }
  } finally {
    await Promise.all(generators.map((pages) => pages.return(undefined)));
  }
}

function keyOf({ page, at }: Source): string {
  return page[at]?.key ?? "";
}
