import { sharedRedisServers } from "../../services/shared.ts";
import { describeRedis } from "../suites/redis-suite.ts";
import { codecs } from "../suites/suite-views.ts";

// One by `npm test`; with KV_TEST_FULL=1 a container and a binary.
for (const [i, server] of (await sharedRedisServers()).entries()) {
  const further = i === 0 ? { codecs } : {};
  describeRedis(`redis by ${server.how ?? "any means"}`, server, ({ url }) => ({ url }), further);
}
