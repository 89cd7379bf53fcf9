export type { AdapterOptions } from "./adapter-options.ts";
export { type AdapterFromOptions, adapterFrom, type OpenStoreOptions, openStore } from "./open-store.ts";
export type { StoreConfig } from "./store-config.ts";
