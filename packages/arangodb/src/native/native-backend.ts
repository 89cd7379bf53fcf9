import { KvError, type StoreReader, type ViewAccess, viewAccess } from "@kv/core";
import { ArangodbAdapter } from "../adapter.ts";

export interface NativeBackend {
  readonly access: ViewAccess;
  readonly adapter: ArangodbAdapter;
}

/** The adapter behind a store. @throws KvError `KV_UNSUPPORTED` for another backend, `KV_INVALID_OPTION` if it is not a store */
export function nativeBackend(store: StoreReader, operation: string): NativeBackend {
  let access: ViewAccess;
  try {
    access = viewAccess(store);
  } catch (cause) {
    const message = "the first argument must be a store, or a view of one";
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
    ? "a middleware of this store changes or measures payloads (compression, encryption, sizeLimit, bounded), and this function would bypass it; use a store without that middleware"
    : "this function and arangodb() come from two copies of @kv/arangodb; install only one version (npm ls @kv/arangodb shows both)";
}
