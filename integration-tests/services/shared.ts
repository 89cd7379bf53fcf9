// The services of this test run, started when the first test file asks and shared with all others: a test that
// writes to one keeps to its own prefix, and a test that kills one starts its own (`RedisProcess`, `redisCluster`, …).

import { inject } from "vitest";
import type { RedisCluster } from "./redis/redis-cluster.ts";
import type { RedisSentinel } from "./redis/redis-sentinel.ts";
import type { Missing, Service } from "./service.ts";

/** A service that belongs to the run: it cannot be stopped or killed from a test file. */
export type Shared<S extends Service> = Omit<S, "stop" | "processes">;

/** Every single Redis that this run tests on: one by `npm test`, a container and a binary with KV_TEST_FULL=1. */
export function sharedRedisServers(): Promise<(Shared<Service> | Missing)[]> {
  return ask("redis");
}

/** One of them, for what need not be repeated on each. */
export async function sharedRedisServer(): Promise<Shared<Service> | Missing> {
  const servers = await sharedRedisServers();
  return servers.find((server) => !("reason" in server)) ?? servers[0] ?? { reason: "there is no Redis" };
}

/** Every ArangoDB that this run tests on, beside the emulator. */
export function sharedArangodbServers(): Promise<(Shared<Service> | Missing)[]> {
  return ask("arangodb");
}

export function sharedRedisCluster(): Promise<Shared<RedisCluster> | Missing> {
  return askForOne<RedisCluster>("redis-cluster");
}

export function sharedRedisSentinel(): Promise<Shared<RedisSentinel> | Missing> {
  return askForOne<RedisSentinel>("redis-sentinel");
}

async function ask<S extends Service>(name: string): Promise<(Shared<S> | Missing)[]> {
  const response = await fetch(new URL(name, inject("kvServices")));
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as (Shared<S> | Missing)[];
}

async function askForOne<S extends Service>(name: string): Promise<Shared<S> | Missing> {
  const [service] = await ask<S>(name);
  return service ?? { reason: `${name} was not offered` };
}
