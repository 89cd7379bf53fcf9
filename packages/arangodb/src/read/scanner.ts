import type { Bounds, Namespace, Range, StoredEntry } from "@kv/core";
import type { Server } from "../connection/server.ts";
import { ArangoEntry, type Row } from "../stored/document.ts";
import { HIGHEST, ordered, orderedAfter } from "../stored/keys.ts";
import type { Layout } from "../stored/layout.ts";
import { SCAN } from "./read-queries.ts";

/** Entries of the first page, whose sizes are not known yet. Little is wasted on a consumer that stops early. */
const FIRST_PAGE = 64;
/** Up to this many entries are read in one page. */
const HANDFUL = 256;
/** The most entries of later pages. */
const PAGE = 1024;
/** About how many bytes later pages may have: a page is held in memory, and must arrive before the timeout. */
const PAGE_BYTES = 8 * 1024 * 1024;
/** How many entries of a page are measured. */
const SAMPLE = 8;
/** Keys of a page, if only keys are wanted. */
const PAGE_OF_KEYS = 4096;

/** Bounds in the encoding of the attributes `n` and `k`. */
export interface OrderedBounds {
  readonly n: string;
  readonly from: string;
  readonly to: string;
}

export function orderedBounds({ id }: Namespace, { start, end }: Bounds): OrderedBounds {
  return { n: ordered(id), from: ordered(start), to: end === undefined ? HIGHEST : ordered(end) };
}

/** Ranges, page by page. A page begins after the last key of the one before, so the server keeps nothing open. */
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
    let bounds = orderedBounds(namespace, range);
    let size = keysOnly ? PAGE_OF_KEYS : range.limit <= HANDFUL ? HANDFUL : FIRST_PAGE;
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
      if (!keysOnly) size = Math.max(1, Math.min(PAGE, Math.floor(PAGE_BYTES / averageSize(rows))));
      bounds = reverse ? { ...bounds, to: ordered(last[0]) } : { ...bounds, from: orderedAfter(last[0]) };
    }
  }
}

/** About how many bytes a row takes, estimated from a few rows. */
function averageSize(rows: readonly Row[]): number {
  const step = Math.ceil(rows.length / SAMPLE);
  const sample = rows.filter((_, i) => i % step === 0);
  return sample.reduce((bytes, row) => bytes + JSON.stringify(row).length, 0) / sample.length;
}
