import type { CreateStoreOptions } from "@kv/core";
import type { AdapterOptions, Installed } from "./adapter-options.ts";

/**
 * An adapter's name with the adapter's own options beside it, and the options of `createStore` under `store`:
 * `{ adapter: "sqlite", path: "./app.db", durability: "full", store: { defaultTtl: "5m" } }`.
 */
export type StoreConfig = {
  [Name in Installed<AdapterOptions>]: {
    readonly adapter: Name;
    /** The options of `createStore`. */
    readonly store?: CreateStoreOptions | undefined;
  } & AdapterOptions[Name];
}[Installed<AdapterOptions>];
