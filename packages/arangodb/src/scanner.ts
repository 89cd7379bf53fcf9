import type { Bounds, Namespace, Range, StoredEntry } from "@kv/core";
import { ArangoEntry, type Row } from "./document.ts";
import { HIGHEST, ordered, orderedAfter } from "./keys.ts";
import type { Layout } from "./layout.ts";
import { SCAN } from "./read-queries.ts";
import type { Server } from "./server.ts";

/** Entries of the first page: whoever leaves early has asked for little. */
const FIRST_PAGE = 256;
/** Entries of the pages behind it. */
const PAGE = 1024;
/** Keys of a page, where only keys are asked for. */
const PAGE_OF_KEYS = 4096;

/** Bounds as they are compared with the attributes `n` and `k`. */
export interface OrderedBounds {
  readonly n: string;
  readonly from: string;
  readonly to: string;
}

export function orderedBounds({ id }: Namespace, { start, end }: Bounds): OrderedBounds {
  return { n: ordered(id), from: ordered(start), to: end === undefined ? HIGHEST : ordered(end) };
}

/** Ranges, page by page. A page begins behind the last key of the one before: nothing is kept open at the server. */
export class Scanner {
  readonly #server: Server;
  readonly #layout: Layout;

  constructor(server: Server, layout: Layout) {
    this.#server = server;
    this.#layout = layout;
  }

  async *scan(namespace: Namespace, range: Range): AsyncGenerator<readonly StoredEntry[]> {
    const { reverse, keysOnly } = range;
    const statement = keysOnly
      ? SCAN[reverse ? "reverseKeys" : "forwardKeys"]
      : SCAN[reverse ? "reverse" : "forward"];
    const most = keysOnly ? PAGE_OF_KEYS : PAGE;
    let bounds = orderedBounds(namespace, range);
    let size = keysOnly ? PAGE_OF_KEYS : FIRST_PAGE;
    for (let left = range.limit; left > 0; ) {
      const limit = Math.min(size, left);
      const rows = await this.#server.execute<Row>(statement, {
        "@entries": this.#layout.entries,
        ...bounds,
        limit,
      });
      if (rows.length > 0) yield rows.map((row) => new ArangoEntry(row));
      const last = rows.at(-1);
      if (rows.length < limit || last === undefined) return;
      left -= rows.length;
      size = most;
      bounds = reverse ? { ...bounds, to: ordered(last[0]) } : { ...bounds, from: orderedAfter(last[0]) };
    }
  }
}
