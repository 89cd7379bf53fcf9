import { loadPeer } from "../peers.ts";
import type { Contender, Value } from "../workload/contender.ts";

/** The part of cache-manager's interface that is measured. */
interface Cache {
  get(key: string): Promise<unknown>;
  set(key: string, value: Value, ttlMs?: number): Promise<unknown>;
  mget(keys: readonly string[]): Promise<unknown[]>;
  mset(list: readonly { key: string; value: Value }[]): Promise<unknown>;
  disconnect(): Promise<unknown>;
}

interface CacheManagerModule {
  createCache(): Cache;
}

export const cacheManagerMemory: Contender = {
  name: "cache-manager",
  role: "peer",
  byReference: true,
  packages: ["cache-manager"],
  note: "its default memory store; it has no scan",
  async open() {
    const { createCache } = await loadPeer<CacheManagerModule>("cache-manager");
    const cache = createCache();
    return {
      get: (key) => cache.get(key),
      set: (key, value) => cache.set(key, value),
      setExpiring: (key, value, ttlMs) => cache.set(key, value, ttlMs),
      getMany: (keys) => cache.mget(keys),
      setMany: (pairs) => cache.mset(pairs.map(([key, value]) => ({ key, value }))),
      close: () => cache.disconnect(),
    };
  },
};
