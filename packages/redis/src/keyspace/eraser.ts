import type { Bounds, Filter, Namespace } from "@kv/core";
import type { Scanner } from "../read/scanner.ts";
import { REMOVE } from "../scripts/keyspace-scripts.ts";
import type { Space } from "../stored/layout.ts";
import type { Target } from "../write/script-target.ts";
import type { Namespaces } from "./namespaces.ts";

/** How many entries a script removes at most: the server serves no other client while it runs. */
const SLICE = 1000;

/** Removes the entries that a caller clears. */
export class Eraser {
  readonly #target: Target;
  readonly #scanner: Scanner;
  readonly #namespaces: Namespaces;

  constructor(target: Target, scanner: Scanner, namespaces: Namespaces) {
    this.#target = target;
    this.#scanner = scanner;
    this.#namespaces = namespaces;
  }

  /** Returns how many live entries were removed. */
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
