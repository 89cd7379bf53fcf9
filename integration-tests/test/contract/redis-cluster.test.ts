import { test } from "vitest";
import { sharedRedisCluster } from "../../services/shared.ts";
import { describeRedis } from "../suites/redis-suite.ts";
import { fewer } from "../suites/suite-views.ts";

if (process.env["KV_TEST_FULL"] === "1") {
  describeRedis(
    "redis in a cluster of six",
    await sharedRedisCluster(),
    ({ nodes }) => ({
      cluster: nodes.map(({ host, port }) => ({ host, port })),
    }),
    { views: fewer },
  );
} else {
  test("redis in a cluster of six", (context) => context.skip("needs KV_TEST_FULL=1"));
}
