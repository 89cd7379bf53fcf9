import { type Backend, backendOf, KvError, type StoreReader } from "@kv/core";
import { ArangodbAdapter } from "./adapter.ts";

export interface NativeBackend {
  readonly backend: Backend;
  readonly adapter: ArangodbAdapter;
}

/** What is behind a store. @throws KvError `KV_UNSUPPORTED` where it is no ArangoDB */
export function nativeBackend<V>(store: StoreReader<V>, operation: string): NativeBackend {
  const backend = backendOf(store);
  const { adapter } = backend;
  if (adapter instanceof ArangodbAdapter) return { backend, adapter };
  throw new KvError("KV_UNSUPPORTED", {
    message:
      "this needs a store over arangodb() itself; what is put around it has to be given as the option middleware of createStore",
    operation,
    adapter: adapter.name,
  });
}
