import { test } from "vitest";
import { sharedRedisSentinel } from "../../services/shared.ts";
import { describeRedis } from "../suites/redis-suite.ts";
import { fewer } from "../suites/suite-views.ts";

if (process.env["KV_TEST_FULL"] === "1") {
  describeRedis(
    "redis behind sentinels",
    await sharedRedisSentinel(),
    ({ name, sentinels }) => ({
      name,
      sentinels: sentinels.map(({ host, port }) => ({ host, port })),
    }),
    { views: fewer },
  );
} else {
  test("redis behind sentinels", (context) => context.skip("needs KV_TEST_FULL=1"));
}
