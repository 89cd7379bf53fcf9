import type { Pair, Subject, Value } from "../../workload/contender.ts";

interface Item {
  readonly key: string;
  readonly value: Value;
}

/** The part of unstorage's interface that is measured. */
interface Storage {
  getItem(key: string): Promise<unknown>;
  /** `ttl`, in seconds, is for drivers that have such a thing. */
  setItem(key: string, value: Value, options?: { readonly ttl: number }): Promise<void>;
  getItems(keys: readonly string[]): Promise<Item[]>;
  setItems(items: readonly Item[]): Promise<void>;
  getKeys(base: string): Promise<string[]>;
  dispose(): Promise<void>;
}

export interface UnstorageModule {
  createStorage(options: { driver: object }): Storage;
}

export function unstorageSubject(storage: Storage): Subject {
  return {
    get: (key) => storage.getItem(key),
    set: (key, value) => storage.setItem(key, value),
    getMany: async (keys) => (await storage.getItems(keys)).map(({ value }) => value),
    setMany: (pairs) => storage.setItems(pairs.map(([key, value]) => ({ key, value }))),
    async scan(prefix) {
      const items = await storage.getItems(await storage.getKeys(prefix));
      return items.map(({ key, value }): Pair => [key, value]).sort(([a], [b]) => (a < b ? -1 : 1));
    },
    close: () => storage.dispose(),
  };
}
