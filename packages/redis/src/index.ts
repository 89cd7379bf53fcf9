export { redis } from "./adapter.ts";
export type { RedisNode } from "./address.ts";
export type {
  RedisClientOptions,
  RedisClusterOptions,
  RedisOptions,
  RedisSentinelOptions,
  RedisServerOptions,
} from "./options.ts";
