import type { Adapter } from "@kv/core";
import { type RedisOptions, redis } from "@kv/redis";
import { type HybridOptions, hybrid } from "./index.ts";

/** The options of the files, and the address of the Redis that is the index: `url`, `sentinels`, `cluster` or `client`. */
export type RedisHybridOptions = Omit<HybridOptions, "index"> & RedisOptions;

/**
 * `hybrid` with Redis as its index. Every process that shares the Redis must see the same directory.
 * @throws KvError `KV_INVALID_OPTION`
 */
export function redisHybrid(options: RedisHybridOptions): Adapter {
  const { directory, inlineBelow, durability, compress, layout, grace, collectInterval, ...rest } = options;
  const files = { directory, inlineBelow, durability, compress, layout, grace, collectInterval };
  return hybrid({ ...files, index: redis(rest) });
}
