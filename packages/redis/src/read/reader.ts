import type { Namespace, StoredEntry } from "@kv/core";
import { isError } from "@kv/core";
import type { Link } from "../connection/link.ts";
import { RedisEntry } from "../stored/entry.ts";
import type { Layout, Space } from "../stored/layout.ts";

/** Reads entries by key: one MGET for all of them, in a Cluster one per partition. */
export class Reader {
  readonly #link: Link;
  readonly #layout: Layout;

  constructor(link: Link, layout: Layout) {
    this.#link = link;
    this.#layout = layout;
  }

  read(namespace: Namespace, keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    const spaces = this.#layout.spaces(namespace);
    const [only] = spaces;
    if (only !== undefined && spaces.length === 1) return this.within(only, keys);
    if (this.#link.isCluster) return this.#spread(spaces, keys);
    return this.#fetch(
      keys,
      keys.map((key) => `${spaces[this.#layout.partitionOf(key)]?.entries}${key}`),
    );
  }

  /** Entries of one space. */
  within({ entries }: Space, keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    return this.#fetch(
      keys,
      keys.map((key) => entries + key),
    );
  }

  async #spread(spaces: readonly Space[], keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    const parts = Map.groupBy(keys.keys(), (place) => this.#layout.partitionOf(keys[place] ?? ""));
    const entries = new Array<StoredEntry | undefined>(keys.length);
    await Promise.all(
      [...parts].map(async ([partition, places]) => {
        const own = await this.within(
          spaces[partition] as Space,
          places.map((place) => keys[place] ?? ""),
        );
        for (const [i, place] of places.entries()) entries[place] = own[i];
      }),
    );
    return entries;
  }

  #fetch(keys: readonly string[], names: string[]): Promise<(StoredEntry | undefined)[]> {
    const [key = ""] = keys;
    if (names.length === 1) return this.#link.call("GET", names).then((value) => [entryOf(key, value)]);
    if (names.length === 0) return Promise.resolve([]);
    const fetched = this.#link.call("MGET", names).then((values) => entriesOf(keys, values));
    if (!this.#link.isCluster) return fetched;
    return fetched.catch(async (error: unknown) => {
      // While a slot is being moved, its keys are on two nodes; reading them one by one finds all.
      if (!isSplit(error)) throw error;
      const values = await Promise.all(names.map((name) => this.#link.call("GET", [name])));
      return entriesOf(keys, values);
    });
  }
}

function isSplit(error: unknown): boolean {
  return isError(error) && /TRYAGAIN|ASK|CROSSSLOT/.test(error.message);
}

function entryOf(key: string, value: unknown): StoredEntry | undefined {
  return value instanceof Buffer ? new RedisEntry(key, value) : undefined;
}

function entriesOf(keys: readonly string[], values: unknown): (StoredEntry | undefined)[] {
  const found = values as readonly unknown[];
  return keys.map((key, i) => entryOf(key, found[i]));
}
