import {
  type Adapter,
  type Bounds,
  type Commit,
  compareKeys,
  forward,
  inBounds,
  type Namespace,
  type Range,
  type StoredEntry,
} from "@kv/core";

/** Keys read at a time. */
const PAGE = 100;

/**
 * Adds ranges to an adapter that keeps no order, so that the suite can look at all entries: it remembers every key that
 * a store wrote, and reads them by key. All other calls still reach the adapter; its own answers to ranges are not
 * tested, since the front refuses ranges on it.
 */
export class KeyList {
  readonly #keys = new Map<string, Set<string>>();

  over(inner: Adapter): Adapter {
    return forward(inner, {
      capabilities: { ...inner.capabilities, ordered: true },
      commit: (namespace, commits) => {
        this.#note(namespace, commits);
        return inner.commit(namespace, commits);
      },
      scan: (namespace, range) => this.#scan(inner, namespace, range),
      count: async (namespace, bounds) => {
        if (isEverything(bounds)) return inner.count(namespace, bounds);
        return (await this.#entries(inner, namespace, bounds)).length;
      },
      clear: async (namespace, filter) => {
        if (filter.descendants || isEverything(filter)) return inner.clear(namespace, filter);
        const entries = await this.#entries(inner, namespace, filter);
        const keys = entries
          .filter(({ policy }) => filter.policy === undefined || policy === filter.policy)
          .map(({ key }) => key);
        await inner.commit(
          namespace,
          keys.map((key) => ({ checks: [], mutations: [{ type: "delete", key }] })),
        );
        return keys.length;
      },
      stats: async (namespace, bounds) => {
        const all = await inner.stats(namespace, { start: "", end: undefined });
        if (isEverything(bounds)) return all;
        const entries = await this.#entries(inner, namespace, bounds);
        return {
          ...all,
          keys: entries.length,
          expiring: entries.filter(({ expiresAt }) => expiresAt !== undefined).length,
          evictable: entries.filter(({ policy }) => policy === "evict").length,
          bytes: entries.reduce((sum, { size = 0 }) => sum + size, 0),
        };
      },
    });
  }

  #note({ id }: Namespace, commits: readonly Commit[]): void {
    let keys = this.#keys.get(id);
    if (keys === undefined) {
      keys = new Set();
      this.#keys.set(id, keys);
    }
    for (const { mutations } of commits) for (const { key } of mutations) keys.add(key);
  }

  async *#scan(inner: Adapter, namespace: Namespace, range: Range): AsyncGenerator<readonly StoredEntry[]> {
    const keys = this.#keysIn(namespace, range);
    if (range.reverse) keys.reverse();
    let wanted = range.limit;
    for (let from = 0; from < keys.length && wanted > 0; from += PAGE) {
      const found = await inner.read(namespace, keys.slice(from, from + PAGE));
      const page = found.filter((entry) => entry !== undefined).slice(0, wanted);
      wanted -= page.length;
      yield page;
    }
  }

  async #entries(inner: Adapter, namespace: Namespace, bounds: Bounds): Promise<StoredEntry[]> {
    const found = await inner.read(namespace, this.#keysIn(namespace, bounds));
    return found.filter((entry) => entry !== undefined);
  }

  #keysIn({ id }: Namespace, bounds: Bounds): string[] {
    return [...(this.#keys.get(id) ?? [])].filter((key) => inBounds(key, bounds)).sort(compareKeys);
  }
}

function isEverything({ start, end }: Bounds): boolean {
  return start === "" && end === undefined;
}
