import type { AdapterStats, Bounds, Namespace } from "@kv/core";
import type { Server } from "../connection/server.ts";
import { COUNT, STATS } from "../read/read-queries.ts";
import { orderedBounds } from "../read/scanner.ts";
import type { Layout } from "../stored/layout.ts";

/** Counts by the index of keys, which also stores deadline and policy: no document is read. */
export class Tally {
  readonly #server: Server;
  readonly #layout: Layout;

  constructor(server: Server, layout: Layout) {
    this.#server = server;
    this.#layout = layout;
  }

  async count(namespace: Namespace, bounds: Bounds): Promise<number> {
    const [count = 0] = await this.#server.execute<number>(COUNT, this.#bindVars(namespace, bounds));
    return count;
  }

  async totals(namespace: Namespace, bounds: Bounds): Promise<Omit<AdapterStats, "backend">> {
    const [row] = await this.#server.execute<(number | null)[]>(STATS, this.#bindVars(namespace, bounds));
    const [keys, expiring, evictable] = row ?? [];
    return { keys: keys ?? 0, expiring: expiring ?? 0, evictable: evictable ?? 0, bytes: undefined };
  }

  #bindVars(namespace: Namespace, bounds: Bounds): Readonly<Record<string, unknown>> {
    return { "@entries": this.#layout.entries, ...orderedBounds(namespace, bounds) };
  }
}
