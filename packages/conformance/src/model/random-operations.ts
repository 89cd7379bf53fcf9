import type { SignalOptions, Store } from "@kv/core";

/** One method of a store, as a call that would succeed. */
export interface Operation {
  /** The name of the method. */
  readonly name: string;
  readonly writes: boolean;
  /** Whether it takes one key or several. */
  readonly takesKey: boolean;
  /** Whether its errors name the key: it takes exactly one. */
  readonly namesKey: boolean;
  /** Returns the method's promise; for an iterable, that of the first `next()`. */
  readonly call: (store: Store, options?: SignalOptions, key?: string) => Promise<unknown>;
}

const OF_SEVERAL_KEYS: ReadonlySet<string> = new Set([
  "getMany",
  "setMany",
  "deleteMany",
  "commit",
  "transaction",
]);

function operation(name: string, writes: boolean, call: Operation["call"]): Operation {
  const takesKey = call.length === 3;
  return { name, writes, takesKey, namesKey: takesKey && !OF_SEVERAL_KEYS.has(name), call };
}

function reading(name: string, call: Operation["call"]): Operation {
  return operation(name, false, call);
}

function writing(name: string, call: Operation["call"]): Operation {
  return operation(name, true, call);
}

/** Every operation, for cases that hold for all of them. */
export const OPERATIONS: readonly Operation[] = [
  reading("get", (store, options, key) => store.get(key ?? "k", undefined, options)),
  reading("getOrThrow", (store, options, key) => store.getOrThrow(key ?? "k", options)),
  reading("getMany", (store, options, key) => store.getMany([key ?? "k"], options)),
  reading("getEntry", (store, options, key) => store.getEntry(key ?? "k", options)),
  reading("getMetadata", (store, options, key) => store.getMetadata(key ?? "k", options)),
  reading("has", (store, options, key) => store.has(key ?? "k", options)),
  reading("keys", (store, options) => store.keys(options).next()),
  reading("values", (store, options) => store.values(options).next()),
  reading("entries", (store, options) => store.entries(options).next()),
  reading("range", (store, options) => store.range("", undefined, options)),
  reading("page", (store, options) => store.page(options)),
  reading("count", (store, options) => store.count(options)),
  reading("listNamespaces", (store, options) => store.listNamespaces(options)),
  reading("stats", (store, options) => store.stats(options)),
  reading("ping", (store, options) => store.ping(options)),
  writing("set", (store, options, key) => store.set(key ?? "k", 1, options)),
  writing("setMany", (store, options, key) => store.setMany([[key ?? "k", 1]], options)),
  writing("setCache", (store, options, key) => store.setCache(key ?? "k", 1, options)),
  writing("create", (store, options, key) => store.create(key ?? "k", 1, options)),
  writing("replace", (store, options, key) => store.replace(key ?? "k", 1, { ...options, revision: "none" })),
  writing("update", (store, options, key) => store.update(key ?? "k", () => 1, options)),
  writing("increment", (store, options, key) => store.increment(key ?? "k", 1, options)),
  writing("take", (store, options, key) => store.take(key ?? "k", options)),
  writing("delete", (store, options, key) => store.delete(key ?? "k", options)),
  writing("deleteMany", (store, options, key) => store.deleteMany([key ?? "k"], options)),
  writing("updateTtl", (store, options, key) => store.updateTtl(key ?? "k", 60, options)),
  writing("updatePolicy", (store, options, key) => store.updatePolicy(key ?? "k", "evict", options)),
  writing("clear", (store, options) => store.clear(options)),
  writing("clearCache", (store, options) => store.clearCache(options)),
  writing("sweep", (store, options) => store.sweep(options)),
  writing("commit", (store, options, key) =>
    store
      .atomic()
      .set(key ?? "k", 1)
      .commit(options),
  ),
  writing("transaction", (store, options, key) => store.transaction((tx) => tx.set(key ?? "k", 1), options)),
];
