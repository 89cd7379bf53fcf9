import { afterEach, describe, expect, it, vi } from "vitest";
import { groupOf } from "../src/groups.ts";
import { redisBackend } from "../src/servers/redis-backend.ts";
import { redisDatabase } from "../src/servers/redis-databases.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("the group redis", () => {
  it("is left out, with the reason, where there is no server", async () => {
    vi.stubEnv("KV_TEST_REDIS_URL", "");
    vi.stubEnv("PATH", "");
    expect(await redisBackend()).toEqual({
      leftOut: expect.stringContaining("have `redis-server` on the PATH"),
    });
  });

  it("gives each contender a database of its own", () => {
    vi.stubEnv("KV_BENCH_REDIS_URL", "redis://:secret@localhost:7000/3");
    const urls = ["@kv/redis", "ioredis", "ioredis, auto-pipelining", "@keyv/redis", "unstorage"] as const;
    expect(groupOf("redis").contenders.map(({ name }) => name)).toEqual(urls);
    expect(redisDatabase("ioredis")).toBe("redis://:secret@localhost:7000/10");
    expect(new Set(urls.map(redisDatabase)).size).toBe(5);
    vi.stubEnv("KV_BENCH_REDIS_URL", undefined);
    expect(() => redisDatabase("ioredis")).toThrow("there is no Redis server");
  });
});
