import type { AdapterStats, Filter, Namespace } from "@kv/core";
import { isCluster } from "../connection/clients.ts";
import type { Link } from "../connection/link.ts";
import type { Reader } from "../read/reader.ts";
import { REMOVE } from "../scripts/keyspace-scripts.ts";
import type { Space } from "../stored/layout.ts";
import type { Target } from "../write/script-target.ts";

/** About how many names the server examines for a page. */
const LOOK = "1000";
/** How many entries a script removes at most. */
const SLICE = 256;

/** Entries that were found, with their namespace and space. */
interface Found {
  readonly namespace: Namespace;
  readonly space: Space;
  readonly names: readonly string[];
}

/**
 * Operations on many keys of a store without an index: they look through all names of the database for the store's own. The
 * cost grows with the database, so this is for the rare clearing of a cache, and never for reading.
 */
export class Unordered {
  readonly #target: Target;
  readonly #link: Link;
  readonly #reader: Reader;

  constructor(target: Target, reader: Reader) {
    this.#target = target;
    this.#reader = reader;
    this.#link = target.link;
  }

  async count(namespace: Namespace): Promise<number> {
    let count = 0;
    for (const space of this.#target.layout.spaces(namespace)) {
      for await (const names of this.#names(space)) count += names.length;
    }
    return count;
  }

  /** Counts entry by entry. */
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
      for (const space of this.#target.layout.spaces(namespace)) {
        for await (const names of this.#names(space)) removed += await this.#remove(space, names, policy);
      }
      return removed;
    }
    for await (const found of this.#everything(namespace.id)) {
      for (const { space, names } of found) removed += await this.#remove(space, names, policy);
    }
    return removed;
  }

  /** The namespaces below this one that hold an entry, each once. */
  async *below(under: Namespace): AsyncGenerator<readonly Namespace[]> {
    const known = new Set<string>([under.id]);
    for await (const found of this.#everything(under.id)) {
      const page: Namespace[] = [];
      for (const { namespace } of found) {
        if (known.has(namespace.id)) continue;
        known.add(namespace.id);
        page.push(namespace);
      }
      if (page.length > 0) yield page;
    }
  }

  async #remove(space: Space, names: readonly string[], policy: Filter["policy"]): Promise<number> {
    const only = policy === undefined ? "" : policy === "evict" ? "e" : "p";
    let removed = 0;
    for (let from = 0; from < names.length; from += SLICE) {
      const slice = names.slice(from, from + SLICE);
      removed += Number(await this.#target.run(REMOVE, space, slice, [only]));
    }
    return removed;
  }

  /**
   * The names of all entries of the namespaces whose id begins with `id`, by space. It does not rely on the list of
   * namespaces, because a server that may evict any key may have evicted it.
   */
  async *#everything(id: string): AsyncGenerator<readonly Found[]> {
    const { layout } = this.#target;
    for await (const names of this.#looked(`${escaped(layout.everything)}*`)) {
      const found: Found[] = [];
      for (const [tag, own] of Map.groupBy(names, (name) => layout.tagOf(name))) {
        const place = tag === undefined ? undefined : layout.find(tag);
        if (place?.namespace.id.startsWith(id)) found.push({ ...place, names: own });
      }
      if (found.length > 0) yield found;
    }
  }

  /** The names of a space's entries, each once. */
  async *#names(space: Space): AsyncGenerator<readonly string[]> {
    // If the server resizes its table meanwhile, it returns some names twice.
    const seen = new Set<string>();
    for await (const page of this.#looked(`${escaped(space.entries)}*`)) {
      const names = page.filter((name) => !seen.has(name));
      for (const name of names) seen.add(name);
      if (names.length > 0) yield names;
    }
  }

  /** All names of the database that match a pattern. */
  async *#looked(pattern: string): AsyncGenerator<readonly string[]> {
    const { client } = this.#link;
    const nodes = isCluster(client) ? client.nodes("master") : [undefined];
    for (const node of nodes) {
      for (let cursor = "0"; ; ) {
        const args = [cursor, "MATCH", pattern, "COUNT", LOOK];
        const reply = (await this.#link.call("SCAN", args, node)) as [Buffer, Buffer[]];
        if (reply[1].length > 0) yield reply[1].map(String);
        cursor = String(reply[0]);
        if (cursor === "0") break;
      }
    }
  }
}

/** A pattern that matches only this text. */
function escaped(text: string): string {
  return text.replace(/[\\*?[\]^-]/g, "\\$&");
}
