import { sharedRedisServers } from "../../services/shared.ts";
import { describeRedis } from "../suites/redis-suite.ts";

// One by `npm test`; with KV_TEST_FULL=1 a container and a binary.
for (const server of await sharedRedisServers()) {
  describeRedis(`redis by ${server.how ?? "any means"}`, server, ({ url }) => ({ url }));
}
