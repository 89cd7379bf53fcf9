import type { Filter, Namespace } from "@kv/core";
import { isMomentary } from "../errors.ts";
import { orderedBounds } from "../read/scanner.ts";
import { HIGHEST } from "../stored/keys.ts";
import type { WriteContext } from "../write/write-context.ts";
import type { Namespaces } from "./namespaces.ts";
import { PURGE, SWEEP } from "./upkeep-queries.ts";

/** How many documents a statement takes out at most: it is one transaction, and others may write the same keys. */
const SLICE = 1000;

type Cleared = readonly [now: number, left: number, live: number, found: number, last: string | null];
type Swept = readonly [now: number, left: number, entries: number, found: number];

/** Removes entries: those that expired, and those that a caller clears. */
export class Sweeper {
  readonly #context: WriteContext;
  readonly #namespaces: Namespaces;

  constructor(context: WriteContext, namespaces: Namespaces) {
    this.#context = context;
    this.#namespaces = namespaces;
  }

  /** Everything that expired in any namespace. */
  async sweep(): Promise<number> {
    const { lanes, layout } = this.#context;
    for (let removed = 0; ; ) {
      const [, , entries, found] = await lanes.write<Swept>(SWEEP, undefined, {
        "@entries": layout.entries,
        "@changes": layout.changes,
        "@system": layout.system,
        limit: SLICE,
      });
      removed += entries;
      if (found < SLICE) return removed;
    }
  }

  /** Removes what the server should have removed by itself, and did not. */
  async purge(): Promise<void> {
    const { server, layout } = this.#context;
    const vars = { "@changes": layout.changes, "@system": layout.system, limit: SLICE };
    for (;;) {
      const [removed = 0] = await server.execute<number>(PURGE, vars).catch((error: unknown) => {
        // Another store is at it.
        if (isMomentary(error)) return [];
        throw error;
      });
      if (removed < SLICE) return;
    }
  }

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
      // What is written meanwhile before this place is not cleared again, so that this comes to an end.
      bounds = { ...bounds, from: last ?? HIGHEST };
    }
  }
}
