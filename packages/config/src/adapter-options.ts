// biome-ignore-all lint/suspicious/noTsIgnore: @ts-expect-error would fail here, where the packages are installed

// Types only: importing @kv/config loads no adapter. The directives are block comments because those stay in the
// declaration file, where they keep an adapter package that is not installed from being an error, `skipLibCheck` or not.

/** @ts-ignore */
import type { ArangodbOptions } from "@kv/arangodb";
import type { Adapter } from "@kv/core";
/** @ts-ignore */
import type { HybridOptions } from "@kv/hybrid";
/** @ts-ignore */
import type { LeveldbOptions } from "@kv/leveldb";
/** @ts-ignore */
import type { MemoryOptions } from "@kv/memory";
/** @ts-ignore */
import type { RedisOptions } from "@kv/redis";
/** @ts-ignore */
import type { SqliteOptions } from "@kv/sqlite";
/** @ts-ignore */
import type { TieredOptions } from "@kv/tiered";

/** The adapters with a backend of their own, each with its options. An interface, so that it can be augmented. */
export interface BackendOptions {
  readonly arangodb: ArangodbOptions;
  readonly leveldb: LeveldbOptions;
  readonly memory: MemoryOptions;
  readonly redis: RedisOptions;
  readonly sqlite: SqliteOptions;
}

/**
 * The adapters whose package is installed. The options of the others do not resolve, and any string is a key of an
 * unresolved type. (`0 extends 1 & T`, the usual test for `any`, is itself `any` for a type that does not resolve.)
 */
export type Installed<Options> = {
  [Name in keyof Options]: string extends keyof Options[Name] ? never : Name;
}[keyof Options];

/** An adapter within another one: a config without `store`, because no store is made over it. */
type InnerConfig = {
  [Name in Installed<BackendOptions>]: { readonly adapter: Name } & BackendOptions[Name];
}[Installed<BackendOptions>];

/** Options some of which are adapters: each of those may also be given as a URL or an object. */
type WithAdapters<Options, Names extends string> = Omit<Options, Names> & {
  readonly [Name in Names]: string | URL | InnerConfig | Adapter;
};

/**
 * The adapters that a config may name, each with its options: the backends, and adapters that are made of other adapters.
 * `StoreConfig` leaves out adapters whose package is not installed. An interface, so that it can be augmented.
 */
export interface AdapterOptions extends BackendOptions {
  readonly hybrid: WithAdapters<HybridOptions, "index">;
  readonly tiered: WithAdapters<TieredOptions, "near" | "far">;
}
