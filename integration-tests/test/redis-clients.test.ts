import { Cluster, Redis } from "ioredis";
import { afterAll, test } from "vitest";
import { sharedRedisCluster, sharedRedisServer } from "../services/shared.ts";

// The suite reads this when it is loaded. Properties need few runs here, since only the maker of the client varies.
process.env["KV_TEST_THOROUGHNESS"] ??= "1";
const { describeRedis } = await import("./suites/redis-suite.ts");
const { fewer } = await import("./suites/suite-views.ts");

if (process.env["KV_TEST_FULL"] === "1") {
  const server = await sharedRedisServer();
  let client: Redis | undefined;
  describeRedis(
    "redis by a client handed in",
    server,
    ({ url }) => {
      client ??= new Redis(url);
      return { client };
    },
    { views: fewer },
  );
  let cluster: Cluster | undefined;
  describeRedis(
    "redis by a client of a cluster handed in",
    await sharedRedisCluster(),
    ({ nodes }) => {
      cluster ??= new Cluster(nodes.map(({ host, port }) => ({ host, port })));
      return { client: cluster };
    },
    { views: fewer },
  );
  afterAll(async () => {
    await client?.quit();
    await cluster?.quit();
  });
} else {
  test("redis by clients handed in", (context) => context.skip("needs KV_TEST_FULL=1"));
}
