import { KvError, type StoreReader, type ViewAccess, viewAccess } from "@kv/core";
import { ArangodbAdapter } from "../adapter.ts";

export interface NativeBackend {
  readonly access: ViewAccess;
  readonly adapter: ArangodbAdapter;
}

/** What is behind a store. @throws KvError `KV_UNSUPPORTED` where it is no ArangoDB; `KV_INVALID_OPTION` where it is no store */
export function nativeBackend(store: StoreReader, operation: string): NativeBackend {
  let access: ViewAccess;
  try {
    access = viewAccess(store);
  } catch (cause) {
    const message = "this needs a store, or a view of one";
    throw new KvError("KV_INVALID_OPTION", { message, operation, adapter: "arangodb", cause });
  }
  const { native, name } = access.adapter;
  if (native instanceof ArangodbAdapter) return { access, adapter: native };
  throw new KvError("KV_UNSUPPORTED", {
    message: whyNone(name, native),
    operation,
    adapter: name,
  });
}

function whyNone(name: string, native: unknown): string {
  if (name !== "arangodb") return "this needs a store over arangodb() of @kv/arangodb";
  return native === undefined
    ? "a middleware of this store changes or measures what is stored (compression, encryption, sizeLimit, bounded), which this would go past: use a store without it"
    : "this function and arangodb() are of two copies of @kv/arangodb; install one version of it (npm ls @kv/arangodb shows both)";
}
