import type { Filter, Namespace } from "@kv/core";
import { orderedBounds } from "../read/scanner.ts";
import { HIGHEST } from "../stored/keys.ts";
import type { WriteContext } from "../write/write-context.ts";
import type { Namespaces } from "./namespaces.ts";
import { SLICE } from "./upkeep-queries.ts";

type Cleared = readonly [now: number, left: number, live: number, found: number, last: string | null];

/** Removes the entries that a caller clears. */
export class Eraser {
  readonly #context: WriteContext;
  readonly #namespaces: Namespaces;

  constructor(context: WriteContext, namespaces: Namespaces) {
    this.#context = context;
    this.#namespaces = namespaces;
  }

  /** Returns how many live entries were removed. */
  async clear(namespace: Namespace, filter: Filter): Promise<number> {
    let removed = await this.#clear(namespace, filter);
    if (!filter.descendants) return removed;
    for await (const listed of this.#namespaces.listedBelow(namespace)) {
      for (const below of listed) {
        removed += await this.#clear(below, { ...filter, start: "", end: undefined });
      }
    }
    return removed;
  }

  async #clear(namespace: Namespace, filter: Filter): Promise<number> {
    const { lanes, layout, queries } = this.#context;
    let bounds = orderedBounds(namespace, filter);
    for (let removed = 0; ; ) {
      const [, , live, found, last] = await lanes.write<Cleared>(queries.clear, namespace, {
        "@entries": layout.entries,
        "@changes": layout.changes,
        "@system": layout.system,
        ...bounds,
        namespace: namespace.id,
        policy: filter.policy ?? null,
        limit: SLICE,
      });
      removed += live;
      if (found < SLICE) return removed;
      // Entries written before this place meanwhile are not cleared, so that the loop ends.
      bounds = { ...bounds, from: last ?? HIGHEST };
    }
  }
}
