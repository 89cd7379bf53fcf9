import type { Namespace, StoredEntry } from "@kv/core";
import { RedisEntry } from "./entry.ts";
import type { Layout, Space } from "./layout.ts";
import type { Link } from "./link.ts";

/** Entries by their keys: one MGET for all of them, in a Cluster one for every partition. */
export class Reader {
  readonly #link: Link;
  readonly #layout: Layout;

  constructor(link: Link, layout: Layout) {
    this.#link = link;
    this.#layout = layout;
  }

  async read(namespace: Namespace, keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    const spaces = this.#layout.spaces(namespace);
    const [only] = spaces;
    if (only !== undefined && spaces.length === 1) return this.within(only, keys);
    if (!this.#link.isCluster) {
      const names = keys.map((key) => `${spaces[this.#layout.partitionOf(key)]?.entries}${key}`);
      return entriesOf(keys, await this.#fetch(names));
    }
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

  /** Entries of one space. */
  async within(space: Space, keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    const { entries } = space;
    return entriesOf(keys, await this.#fetch(keys.map((key) => entries + key)));
  }

  async #fetch(names: string[]): Promise<readonly unknown[]> {
    if (names.length === 0) return [];
    if (names.length === 1) return [await this.#link.call("get", names)];
    try {
      return (await this.#link.call("mget", names)) as unknown[];
    } catch (error) {
      // While a slot is moved, some of its keys are here and some are there; one by one they are found.
      if (!(this.#link.isCluster && isSplit(error))) throw error;
      return Promise.all(names.map((name) => this.#link.call("get", [name])));
    }
  }
}

function isSplit(error: unknown): boolean {
  return error instanceof Error && /TRYAGAIN|ASK|CROSSSLOT/.test(error.message);
}

function entriesOf(keys: readonly string[], values: readonly unknown[]): (StoredEntry | undefined)[] {
  return keys.map((key, i) => {
    const value = values[i];
    return value instanceof Buffer ? new RedisEntry(key, value) : undefined;
  });
}
