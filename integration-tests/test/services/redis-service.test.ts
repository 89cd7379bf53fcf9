import { Cluster, Redis } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { isMissing } from "../../services/service.ts";
import { sharedRedisCluster, sharedRedisSentinel, sharedRedisServers } from "../../services/shared.ts";

const servers = await sharedRedisServers();

describe.each(servers.map((server) => [server.how ?? "any", server] as const))(
  "one server: %s",
  (_, server) => {
    test("answers, in the version that it is said to have", async (context) => {
      if (isMissing(server)) return context.skip(server.reason);
      const client = connected(new Redis(server.url));
      expect(await client.ping()).toBe("PONG");
      const version = /^(?:redis|valkey)_version:(\S+)/m.exec(await client.info("server"))?.[1];
      expect(server.describe).toContain(`${version}`);
    });

    test("is the same one for every file of the run", async (context) => {
      if (isMissing(server)) return context.skip(server.reason);
      const again = (await sharedRedisServers()).find(({ how }) => how === server.how);
      expect(again).toEqual(server);
    });

    test("keeps nothing on disk", async (context) => {
      if (isMissing(server)) return context.skip(server.reason);
      context.skip(server.how === "environment", "the server that KV_TEST_REDIS_URL names is as it is");
      const client = connected(new Redis(server.url));
      expect(await client.config("GET", "save")).toEqual(["save", ""]);
      expect(await client.config("GET", "appendonly")).toEqual(["appendonly", "no"]);
    });
  },
);

test("a cluster has three masters with a replica each, and takes keys in all slots", async (context) => {
  const cluster = await sharedRedisCluster();
  if (isMissing(cluster)) return context.skip(cluster.reason);
  const client = connected(new Cluster([...cluster.nodes]));
  for (let n = 0; n < 50; n++) expect(await client.set(`services-test:${n}`, n, "PX", 10_000)).toBe("OK");
  expect(client.nodes("master")).toHaveLength(3);
  const nodes = String(await client.cluster("NODES"))
    .trim()
    .split("\n");
  expect(nodes.map((line) => /\b(master|slave)\b/.exec(line)?.[0]).sort()).toEqual([
    "master",
    "master",
    "master",
    "slave",
    "slave",
    "slave",
  ]);
}, 120_000);

test("sentinels say where the master is", async (context) => {
  const sentinel = await sharedRedisSentinel();
  if (isMissing(sentinel)) return context.skip(sentinel.reason);
  const client = connected(new Redis({ sentinels: [...sentinel.sentinels], name: sentinel.name }));
  expect(await client.info("replication")).toMatch(/role:master\r\nconnected_slaves:1/);
}, 120_000);

function connected<Client extends Redis | Cluster>(client: Client): Client {
  onTestFinished(() => client.disconnect());
  return client;
}
