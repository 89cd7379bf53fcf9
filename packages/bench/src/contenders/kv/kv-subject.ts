import type { Store } from "@kv/core";
import type { Subject, Value } from "../../workload/contender.ts";

/** Any @kv store, through its public interface. */
export function kvSubject(store: Store<Value>): Subject {
  return {
    get: (key) => store.get(key),
    set: (key, value) => store.set(key, value),
    setExpiring: (key, value, ttlMs) => store.set(key, value, { ttl: ttlMs / 1000 }),
    getMany: (keys) => store.getMany(keys),
    setMany: (pairs) => store.setMany(pairs),
    scan: (prefix) => store.range(prefix),
    close: () => store.close(),
  };
}
