import type { CreateStoreOptions } from "@kv/core";
import type { AdapterOptions, BackendOptions } from "./adapter-options.ts";

/**
 * The adapters whose package is installed: the options of the others do not resolve, so that any string is a key of
 * them. (`0 extends 1 & T`, the usual test for `any`, is itself `any` for a type that does not resolve.)
 */
type Installed<Options> = {
  [Name in keyof Options]: string extends keyof Options[Name] ? never : Name;
}[keyof Options];

/**
 * An adapter by name, beside it the adapter's own options, and under `store` those of `createStore`:
 * `{ adapter: "sqlite", path: "./app.db", durability: "full", store: { defaultTtl: "5m" } }`.
 */
export type StoreConfig = {
  [Name in Installed<AdapterOptions>]: {
    readonly adapter: Name;
    /** The options of `createStore`. */
    readonly store?: CreateStoreOptions | undefined;
  } & AdapterOptions[Name];
}[Installed<AdapterOptions>];

/** An adapter within another one: a config without `store`, for it makes no store. */
export type InnerConfig = {
  [Name in Installed<BackendOptions>]: { readonly adapter: Name } & BackendOptions[Name];
}[Installed<BackendOptions>];
