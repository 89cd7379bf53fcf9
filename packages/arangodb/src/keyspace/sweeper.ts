import { isMomentary } from "../errors.ts";
import type { WriteContext } from "../write/write-context.ts";
import { PURGE, SLICE, SWEEP } from "./upkeep-queries.ts";

type Swept = readonly [now: number, left: number, entries: number, found: number];

/** Removes expired entries of all namespaces, and documents that the server should have removed by itself. */
export class Sweeper {
  readonly #context: WriteContext;

  constructor(context: WriteContext) {
    this.#context = context;
  }

  /** Removes expired entries in every namespace; returns how many. */
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

  /** Removes documents that the server should have removed by itself. */
  async purge(): Promise<void> {
    const { server, layout } = this.#context;
    const vars = { "@changes": layout.changes, "@system": layout.system, limit: SLICE };
    for (;;) {
      const [removed = 0] = await server.execute<number>(PURGE, vars).catch((error: unknown) => {
        // Another store is doing the same.
        if (isMomentary(error)) return [];
        throw error;
      });
      if (removed < SLICE) return;
    }
  }
}
