import { sharedRedisServers } from "../../services/shared.ts";
import { describeRedis } from "../suites/redis-suite.ts";
import { codecs } from "../suites/suite-views.ts";

// One by `npm test`; with KV_TEST_FULL=1 a container and a binary.
for (const [i, server] of (await sharedRedisServers()).entries()) {
  // Each case takes its time on a server: by `npm test` the store itself.
  const further =
    process.env["KV_TEST_FULL"] !== "1" ? { views: "root" as const } : i === 0 ? { codecs } : {};
  describeRedis(`redis by ${server.how ?? "any means"}`, server, ({ url }) => ({ url }), further);
}
