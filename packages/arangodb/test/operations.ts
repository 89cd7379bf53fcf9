import type { Store } from "@kv/core";
import type { Links } from "../src/index.ts";

/** An operation whose cost is measured, on a store that holds `k0` to `k999`, objects of 100 bytes, and the number `n`. */
export interface Operation {
  readonly name: string;
  /** How many requests it takes; `[least, most]` if it measures the server's clock, more often when answers are slow. */
  readonly requests: number | readonly [number, number];
  run(store: Store, links: Links): Promise<unknown>;
}

export const VALUE = { name: "x".repeat(60), tags: ["a", "b"], count: 42 };

function keys(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `k${String(i).padStart(3, "0")}`);
}

export function entries(count: number): [string, unknown][] {
  return keys(count).map((key) => [key, VALUE]);
}

export const OPERATIONS: readonly Operation[] = [
  { name: "get", requests: 1, run: (store) => store.get("k000") },
  { name: "set", requests: 1, run: (store) => store.set("k000", VALUE) },
  { name: "create", requests: 1, run: (store) => store.create("k000", VALUE) },
  { name: "increment", requests: 1, run: (store) => store.increment("n") },
  { name: "updateTtl", requests: 1, run: (store) => store.updateTtl("k000", null) },
  { name: "delete", requests: 1, run: (store) => store.delete("none") },
  {
    name: "update (read, then a guarded write)",
    requests: 2,
    run: (store) => store.update("k000", () => VALUE),
  },
  {
    name: "64 gets in a tick",
    requests: 1,
    run: (store) => Promise.all(keys(64).map((key) => store.get(key))),
  },
  {
    name: "64 sets in a tick",
    requests: 1,
    run: (store) => Promise.all(keys(64).map((key) => store.set(key, VALUE))),
  },
  {
    name: "64 increments of one key in a tick",
    requests: 1,
    run: (store) => Promise.all(keys(64).map(() => store.increment("n"))),
  },
  {
    name: "sets, deletions and increments of 64 keys in a tick",
    requests: 1,
    run: (store) =>
      Promise.all(
        keys(64).map((key, i): Promise<unknown> => {
          if (i % 3 === 0) return store.set(key, VALUE);
          return i % 3 === 1 ? store.delete(`none ${i}`) : store.increment(`n${i}`);
        }),
      ),
  },
  {
    name: "commit of 10 writes and a check",
    requests: 1,
    run: (store) =>
      entries(10)
        .reduce((atomic, [key, value]) => atomic.set(key, value), store.atomic())
        .check("none", null)
        .commit(),
  },
  {
    name: "set and increment of one key in a tick (looked at first)",
    requests: 2,
    run: (store) => Promise.all([store.set("m", 1), store.increment("m")]),
  },
  { name: "count", requests: 1, run: (store) => store.count() },
  { name: "range of 1,000", requests: 2, run: (store) => store.range("k") },
  {
    name: "1,000 keys",
    requests: 1,
    async run(store) {
      for await (const _ of store.keys({ prefix: "k", limit: 1000 }));
    },
  },
  { name: "listNamespaces", requests: 1, run: (store) => store.listNamespaces() },
  { name: "sweep, with nothing to sweep", requests: [5, 7], run: (store) => store.sweep() },
  {
    name: "links: 10 links",
    requests: 1,
    run: (_, links) => links.linkMany(keys(10).map((key) => ["k000", "to", key])),
  },
  {
    name: "links: related to a depth of 3",
    requests: 1,
    run: (_, links) => links.related("k000", { depth: 3 }),
  },
];
