import type { Pair, Subject, Value } from "../../workload/contender.ts";

/** The part of Keyv's interface that is measured. Its own types are only there once the peers are installed. */
export interface Keyv {
  get(key: string): Promise<unknown>;
  set(key: string, value: Value, ttlMs?: number): Promise<boolean>;
  getMany(keys: readonly string[]): Promise<unknown[]>;
  setMany(entries: readonly { key: string; value: Value }[]): Promise<boolean[]>;
  iterator(): AsyncIterable<Pair>;
  disconnect(): Promise<unknown>;
}

export interface KeyvModule {
  readonly Keyv: new (options?: { store?: object }) => Keyv;
}

export function keyvSubject(keyv: Keyv): Subject {
  return {
    get: (key) => keyv.get(key),
    set: (key, value) => keyv.set(key, value),
    setExpiring: (key, value, ttlMs) => keyv.set(key, value, ttlMs),
    getMany: (keys) => keyv.getMany(keys),
    setMany: (pairs) => keyv.setMany(pairs.map(([key, value]) => ({ key, value }))),
    async scan(prefix) {
      // It knows no ranges: everything is walked through.
      const found: Pair[] = [];
      for await (const pair of keyv.iterator()) if (pair[0].startsWith(prefix)) found.push(pair);
      return found.sort(([a], [b]) => (a < b ? -1 : 1));
    },
    close: () => keyv.disconnect(),
  };
}
