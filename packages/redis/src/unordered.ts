import type { AdapterStats, Filter, Namespace } from "@kv/core";
import { isCluster } from "./clients.ts";
import type { Space } from "./layout.ts";
import type { Link } from "./link.ts";
import type { Namespaces } from "./namespaces.ts";
import type { Reader } from "./reader.ts";
import { REMOVE } from "./scripts.ts";
import type { Target } from "./target.ts";

/** How many names the server looks at for a page, about. */
const LOOK = "1000";
/** How many entries a script removes at most. */
const SLICE = 256;

/**
 * What a store without an index still can do: look through all names of the database for its own. That costs what the
 * database holds, so it is for the rare clearing of a cache, and never for reading.
 */
export class Unordered {
  readonly #target: Target;
  readonly #link: Link;
  readonly #namespaces: Namespaces;
  readonly #reader: Reader;

  constructor(target: Target, namespaces: Namespaces, reader: Reader) {
    this.#target = target;
    this.#reader = reader;
    this.#link = target.link;
    this.#namespaces = namespaces;
  }

  async count(namespace: Namespace): Promise<number> {
    let count = 0;
    for (const space of this.#target.layout.spaces(namespace)) {
      for await (const names of this.#names(space)) count += names.length;
    }
    return count;
  }

  /** Counted entry by entry. */
  async totals(namespace: Namespace): Promise<Omit<AdapterStats, "backend">> {
    let [keys, expiring, evictable, bytes] = [0, 0, 0, 0];
    for (const space of this.#target.layout.spaces(namespace)) {
      for await (const names of this.#names(space)) {
        const entries = await this.#reader.within(
          space,
          names.map((name) => name.slice(space.entries.length)),
        );
        for (const entry of entries) {
          if (entry === undefined) continue;
          keys++;
          if (entry.expiresAt !== undefined) expiring++;
          if (entry.policy === "evict") evictable++;
          bytes += entry.size ?? 0;
        }
      }
    }
    return { keys, expiring, evictable, bytes };
  }

  async clear(namespace: Namespace, { policy, descendants }: Filter): Promise<number> {
    let removed = 0;
    if (!descendants) {
      for (const space of this.#target.layout.spaces(namespace)) removed += await this.#clear(space, policy);
      return removed;
    }
    for await (const listed of this.#namespaces.listed(namespace.id)) {
      for (const { space } of listed) removed += await this.#clear(space, policy);
    }
    return removed;
  }

  /** The namespaces below that hold an entry, each once. */
  async *below(under: Namespace): AsyncGenerator<readonly Namespace[]> {
    const found = new Set<string>([under.id]);
    for await (const listed of this.#namespaces.listed(under.id)) {
      for (const { namespace, space } of listed) {
        if (found.has(namespace.id)) continue;
        for await (const names of this.#names(space)) {
          if (names.length === 0) continue;
          found.add(namespace.id);
          yield [namespace];
          break;
        }
      }
    }
  }

  async #clear(space: Space, policy: Filter["policy"]): Promise<number> {
    const only = policy === undefined ? "" : policy === "evict" ? "e" : "p";
    let removed = 0;
    for await (const names of this.#names(space)) {
      for (let from = 0; from < names.length; from += SLICE) {
        const slice = names.slice(from, from + SLICE);
        removed += Number(await this.#target.run(REMOVE, space, slice, [only]));
      }
    }
    return removed;
  }

  /** The names of a space's entries, each once. */
  async *#names(space: Space): AsyncGenerator<readonly string[]> {
    const pattern = `${space.entries.replace(/[\\*?[\]^-]/g, "\\$&")}*`;
    // A table that is resized meanwhile gives some names twice.
    const seen = new Set<string>();
    const { client } = this.#link;
    const nodes = isCluster(client) ? client.nodes("master") : [undefined];
    for (const node of nodes) {
      for (let cursor = "0"; ; ) {
        const args = [cursor, "MATCH", pattern, "COUNT", LOOK];
        const reply = (await this.#link.call("SCAN", args, node)) as [Buffer, Buffer[]];
        const names = reply[1].map(String).filter((name) => !seen.has(name));
        for (const name of names) seen.add(name);
        if (names.length > 0) yield names;
        cursor = String(reply[0]);
        if (cursor === "0") break;
      }
    }
  }
}
