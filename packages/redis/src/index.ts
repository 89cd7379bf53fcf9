export { redis } from "./adapter.ts";
export type {
  RedisClientOptions,
  RedisClusterOptions,
  RedisNode,
  RedisOptions,
  RedisSentinelOptions,
  RedisServerOptions,
} from "./options.ts";
