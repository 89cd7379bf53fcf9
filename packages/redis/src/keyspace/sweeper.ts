import type { Evictions } from "./evictions.ts";
import type { Collector } from "./expired-keys.ts";
import type { Namespaces } from "./namespaces.ts";

/** Removes expired entries of all namespaces, and index entries of keys that the server has evicted. */
export class Sweeper {
  readonly #namespaces: Namespaces;
  readonly #collector: Collector;
  readonly #evictions: Evictions;

  constructor(namespaces: Namespaces, collector: Collector, evictions: Evictions) {
    this.#namespaces = namespaces;
    this.#collector = collector;
    this.#evictions = evictions;
  }

  /** Returns how many entries were removed. */
  sweep(): Promise<number> {
    return this.#evictions.during(async (look) => {
      let removed = 0;
      for await (const listed of this.#namespaces.listed("")) {
        for (const { space, token } of listed) {
          removed += await this.#collector.collect(space);
          removed += await this.#evictions.collect(space, look);
          await this.#namespaces.strike(space, token);
        }
      }
      return removed;
    });
  }
}
