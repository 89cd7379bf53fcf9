import { afterEach, describe, expect, test, vi } from "vitest";
import { redisServer, redisServers } from "../../services/redis/redis.ts";
import { needsRedisServer } from "../../services/redis/redis-binary.ts";
import { environment } from "../../services/redis/redis-environment.ts";
import { installRedis } from "../../services/redis/redis-install.ts";
import type { How, Way } from "../../services/service.ts";

const order: readonly How[] = ["environment", "container", "binary"];

/** The three ways, of which only some lead anywhere; `tried` fills with those that were gone. */
function ways(open: readonly How[]): { ways: Way[]; tried: How[] } {
  const tried: How[] = [];
  const all = order.map(
    (how): Way => ({
      how,
      async start() {
        tried.push(how);
        if (!open.includes(how)) return { reason: `no ${how}` };
        return { url: `redis://${how}`, how, describe: how, stop: async () => undefined };
      },
    }),
  );
  return { ways: all, tried };
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("npm test", () => {
  test.each([
    { open: ["environment", "container", "binary"], taken: "environment", tried: 1 },
    { open: ["container", "binary"], taken: "container", tried: 2 },
    { open: ["binary"], taken: "binary", tried: 3 },
  ] as const)("takes the first of $open, and starts no other", async ({ open, taken, tried }) => {
    const fakes = ways(open);
    expect(await redisServer(fakes.ways)).toMatchObject({ how: taken, url: `redis://${taken}` });
    expect(fakes.tried).toEqual(order.slice(0, tried));
  });

  test("says of each way why it leads nowhere", async () => {
    expect(await redisServers(false, ways([]).ways)).toEqual([
      { reason: "no environment; no container; no binary" },
    ]);
  });
});

describe("KV_TEST_FULL=1", () => {
  test("takes a container and a binary", async () => {
    vi.stubEnv("KV_TEST_REDIS_URL", "");
    const servers = await redisServers(true, ways(order).ways);
    expect(servers.map(({ how }) => how)).toEqual(["container", "binary"]);
  });

  test("takes the server of KV_TEST_REDIS_URL besides", async () => {
    vi.stubEnv("KV_TEST_REDIS_URL", "redis://somewhere");
    const servers = await redisServers(true, ways(order).ways);
    expect(servers.map(({ how }) => how)).toEqual(order);
  });

  test("names the one that is missing, with its reason", async () => {
    vi.stubEnv("KV_TEST_REDIS_URL", "");
    expect(await redisServers(true, ways(["binary"]).ways)).toMatchObject([
      { how: "container", reason: "no container" },
      { how: "binary", url: "redis://binary" },
    ]);
  });
});

describe("the server that KV_TEST_REDIS_URL names", () => {
  test("is not replaced by another when it is down, and its password stays out of the message", async () => {
    vi.stubEnv("KV_TEST_REDIS_URL", "redis://user:hunter2@127.0.0.1:1");
    await expect(environment.start()).rejects.toThrow(
      /KV_TEST_REDIS_URL names a server that does not answer \(127\.0\.0\.1:1\): .*ECONNREFUSED/,
    );
    await expect(environment.start()).rejects.not.toThrow(/hunter2/);
  });
});

describe("a redis-server", () => {
  test("is not installed where there is one", async () => {
    const install = vi.fn();
    expect(await needsRedisServer({ onPath: () => true, install })).toBeUndefined();
    expect(install).not.toHaveBeenCalled();
  });

  test("is installed where there is none", async () => {
    let installed = false;
    const install = async () => {
      installed = true;
      return undefined;
    };
    expect(await needsRedisServer({ onPath: () => installed, install })).toBeUndefined();
    expect(installed).toBe(true);
  });

  test("is missing where it may not be installed", async () => {
    const install = async () => ({ reason: "only root may install it" });
    expect(await needsRedisServer({ onPath: () => false, install })).toEqual({
      reason: "no redis-server is on the PATH, and only root may install it",
    });
  });

  test("is not installed against KV_TEST_INSTALL=0", async () => {
    vi.stubEnv("KV_TEST_INSTALL", "0");
    expect(await installRedis()).toEqual({ reason: "KV_TEST_INSTALL=0 keeps it from being installed" });
  });
});
