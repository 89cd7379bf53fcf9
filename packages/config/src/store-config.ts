import type { CreateStoreOptions } from "@kv/core";
import type { AdapterOptions } from "./adapter-options.ts";

/**
 * The adapters whose package is installed: the options of the others do not resolve, so that any string is a key of
 * them. (`0 extends 1 & T`, the usual test for `any`, is itself `any` for a type that does not resolve.)
 */
type Installed = {
  [Name in keyof AdapterOptions]: string extends keyof AdapterOptions[Name] ? never : Name;
}[keyof AdapterOptions];

/**
 * An adapter by name, beside it the adapter's own options, and under `store` those of `createStore`:
 * `{ adapter: "sqlite", path: "./app.db", durability: "full", store: { defaultTtl: "5m" } }`.
 */
export type StoreConfig = {
  [Name in Installed]: {
    readonly adapter: Name;
    /** The options of `createStore`. */
    readonly store?: CreateStoreOptions | undefined;
  } & AdapterOptions[Name];
}[Installed];
