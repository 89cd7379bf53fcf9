import type { AdapterStats, Bounds, Namespace } from "@kv/core";
import type { Link } from "../connection/link.ts";
import type { Scanner } from "../read/scanner.ts";
import type { Layout, Space } from "../stored/layout.ts";
import { lexBounds } from "../stored/lex-bounds.ts";
import type { Collector } from "./expired-keys.ts";

/** How many keys are examined together when deadlines within bounds are counted. */
const SLICE = 1024;

/** Counts by the index, after expired entries have been removed from it: no entry is read. */
export class Tally {
  readonly #link: Link;
  readonly #layout: Layout;
  readonly #scanner: Scanner;
  readonly #collector: Collector;

  constructor(link: Link, layout: Layout, scanner: Scanner, collector: Collector) {
    this.#link = link;
    this.#layout = layout;
    this.#scanner = scanner;
    this.#collector = collector;
  }

  async count(namespace: Namespace, bounds: Bounds): Promise<number> {
    const counts = await Promise.all(
      this.#layout.spaces(namespace).map((space) => this.#collector.count(space, bounds)),
    );
    return sum(counts);
  }

  async totals(namespace: Namespace, bounds: Bounds): Promise<Omit<AdapterStats, "backend">> {
    const totals = await Promise.all(
      this.#layout.spaces(namespace).map(async (space) => ({
        keys: await this.#collector.count(space, bounds),
        expiring: await this.#expiring(space, bounds),
        evictable: Number(await this.#link.call("ZLEXCOUNT", [space.evict, ...lexBounds(bounds)])),
      })),
    );
    return {
      keys: sum(totals.map(({ keys }) => keys)),
      expiring: sum(totals.map(({ expiring }) => expiring)),
      evictable: sum(totals.map(({ evictable }) => evictable)),
      // Knowing this would mean reading every entry.
      bytes: undefined,
    };
  }

  async #expiring(space: Space, bounds: Bounds): Promise<number> {
    const all = Number(await this.#link.call("ZCARD", [space.due]));
    if (all === 0 || (bounds.start === "" && bounds.end === undefined)) return all;
    let expiring = 0;
    for await (const keys of this.#scanner.keys(space.keys, bounds, SLICE)) {
      const deadlines = (await this.#link.call("ZMSCORE", [space.due, ...keys])) as unknown[];
      expiring += deadlines.filter((deadline) => deadline !== null).length;
    }
    return expiring;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
