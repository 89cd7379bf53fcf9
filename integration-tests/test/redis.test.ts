import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describeConformance } from "@kv/conformance";
import { redis } from "@kv/redis";
import { afterAll, test } from "vitest";
import { redisServer } from "./redis-server.ts";

const server = await redisServer();

if (server === undefined) {
  test("redis", (context) => context.skip("needs KV_TEST_REDIS_URL, or a redis-server on the PATH"));
} else {
  afterAll(() => server.stop());
  describeConformance({
    name: "redis",
    // Every case has the server to itself as far as its prefix goes.
    create() {
      const prefix = `conformance-${randomUUID()}:`;
      const open = () => redis({ url: server.url, prefix });
      return { adapter: open(), reopen: open };
    },
    // Changes come back from the server.
    settle: () => sleep(100),
  });
}
