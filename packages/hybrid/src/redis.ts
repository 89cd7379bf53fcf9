import type { Adapter } from "@kv/core";
import { type RedisOptions, redis } from "@kv/redis";
import { type HybridOptions, hybrid } from "./index.ts";

/** Where the files go, and how the Redis that knows them is reached: `url`, `sentinels`, `cluster` or `client`. */
export type RedisHybridOptions = Omit<HybridOptions, "index"> & RedisOptions;

/**
 * `hybrid` with Redis as its index. Every process that shares the Redis has to see the same directory.
 * @throws KvError `KV_INVALID_OPTION`
 */
export function redisHybrid(options: RedisHybridOptions): Adapter {
  const { directory, inlineBelow, durability, compress, layout, grace, collectInterval, ...rest } = options;
  const files = { directory, inlineBelow, durability, compress, layout, grace, collectInterval };
  return hybrid({ ...files, index: redis(rest) });
}
