import type { Bounds, Filter, Namespace } from "@kv/core";
import type { Scanner } from "../read/scanner.ts";
import { REMOVE } from "../scripts/keyspace-scripts.ts";
import type { Space } from "../stored/layout.ts";
import type { Target } from "../write/script-target.ts";
import type { Evictions } from "./evictions.ts";
import type { Collector } from "./expired-keys.ts";
import type { Namespaces } from "./namespaces.ts";

/** How many entries a script removes at most: while it runs, the server serves nobody else. */
const SLICE = 1000;

/** Takes entries out: those that expired, and those that somebody wants cleared. */
export class Sweeper {
  readonly #target: Target;
  readonly #scanner: Scanner;
  readonly #namespaces: Namespaces;
  readonly #collector: Collector;
  readonly #evictions: Evictions;

  constructor(
    target: Target,
    scanner: Scanner,
    namespaces: Namespaces,
    collector: Collector,
    evictions: Evictions,
  ) {
    this.#target = target;
    this.#scanner = scanner;
    this.#namespaces = namespaces;
    this.#collector = collector;
    this.#evictions = evictions;
  }

  /** Everything that expired in any namespace, and what the server has evicted. */
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

  async clear(namespace: Namespace, filter: Filter): Promise<number> {
    if (!filter.descendants) return this.#clearAll(this.#target.layout.spaces(namespace), filter);
    const everything = { start: "", end: undefined, policy: filter.policy };
    let removed = 0;
    for await (const listed of this.#namespaces.listed(namespace.id)) {
      removed += await this.#clearAll(
        listed.map(({ space }) => space),
        everything,
      );
    }
    return removed;
  }

  async #clearAll(spaces: readonly Space[], filter: Bounds & Pick<Filter, "policy">): Promise<number> {
    let removed = 0;
    for (const space of spaces) removed += await this.#clear(space, filter);
    return removed;
  }

  async #clear(space: Space, filter: Bounds & Pick<Filter, "policy">): Promise<number> {
    const index = filter.policy === "evict" ? space.evict : space.keys;
    const policy = filter.policy === undefined ? "" : filter.policy === "evict" ? "e" : "p";
    let removed = 0;
    for await (const keys of this.#scanner.keys(index, filter, SLICE)) {
      const names = keys.map((key) => space.entries + key);
      removed += Number(await this.#target.run(REMOVE, space, names, [policy]));
    }
    return removed;
  }
}
