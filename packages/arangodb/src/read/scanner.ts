import type { Bounds, Namespace, Range, StoredEntry } from "@kv/core";
import type { Server } from "../connection/server.ts";
import { ArangoEntry, type Row } from "../stored/document.ts";
import { HIGHEST, ordered, orderedAfter } from "../stored/keys.ts";
import type { Layout } from "../stored/layout.ts";
import { SCAN } from "./read-queries.ts";

/** Entries of the first page, whose sizes are not known yet. A consumer that stops early has asked for little. */
const FIRST_PAGE = 64;
/** As many entries are no range but a handful: they come in one page. */
const HANDFUL = 256;
/** Entries of the pages behind the first one, */
const PAGE = 1024;
/** and how many bytes these should not exceed by much: a page is in memory, and has to arrive before the timeout. */
const PAGE_BYTES = 8 * 1024 * 1024;
/** Entries of a page whose size is measured. */
const SAMPLE = 8;
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

/** About how many bytes a row takes, by a few of them. */
function averageSize(rows: readonly Row[]): number {
  const step = Math.ceil(rows.length / SAMPLE);
  const sample = rows.filter((_, i) => i % step === 0);
  return sample.reduce((bytes, row) => bytes + JSON.stringify(row).length, 0) / sample.length;
}
