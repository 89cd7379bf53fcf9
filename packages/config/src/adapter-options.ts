// biome-ignore-all lint/suspicious/noTsIgnore: @ts-expect-error would fail here, where the packages are installed

// Types alone: whoever imports @kv/config loads no adapter. The directives are block comments because those stay in the
// declaration file, and there an adapter package that is not installed is no error, `skipLibCheck` or not.

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
import type { Tiers } from "./tiers.ts";

/**
 * The adapters that a config may name, each with its options. `StoreConfig` leaves out one whose
 * package is not installed. An interface, so that it can be augmented.
 */
export interface AdapterOptions {
  readonly leveldb: LeveldbOptions;
  readonly memory: MemoryOptions;
  readonly redis: RedisOptions;
  readonly sqlite: SqliteOptions;
  readonly tiered: Omit<TieredOptions, keyof Tiers> & Tiers;
}
