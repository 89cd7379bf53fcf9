import { afterAll, test } from "vitest";
import { needsRedisServer } from "../../services/redis/redis-binary.ts";
import { plainServer, RedisProcess } from "../../services/redis/redis-process.ts";
import { sharedRedisCluster } from "../../services/shared.ts";

// The suite reads this when it is loaded. Properties need few runs here, since only the layout of the data varies.
process.env["KV_TEST_THOROUGHNESS"] ??= "1";
const { describeRedis } = await import("../suites/redis-suite.ts");
const { fewer } = await import("../suites/suite-views.ts");

const UNORDERED = "redis without an index";

/** Without an index, only the server knows which entries expire, and removes them itself. */
const LEFT_TO_THE_SERVER: readonly (readonly [title: string, reason: string])[] = [
  [
    "time to live › sweep removes what has expired, tells how much that was, and leaves the rest",
    "the server removes what expired, so a sweep finds nothing and tells 0",
  ],
  [
    "watching › an entry that expires arrives as expire, at the latest when it is swept",
    "the server drops what expired without a word",
  ],
];

if (process.env["KV_TEST_FULL"] === "1") {
  // Without an index every clearing looks through all names of the server, so it has one of its own.
  const missing = await needsRedisServer();
  const server = missing ?? (await RedisProcess.start({ args: plainServer }));
  afterAll(async () => {
    if ("stop" in server) await server.stop();
  });
  describeRedis(
    "redis in a cluster of six, in 16 partitions",
    await sharedRedisCluster(),
    ({ nodes }) => ({ cluster: nodes.map(({ host, port }) => ({ host, port })), partitions: 16 }),
    { together: "{together}", views: fewer },
  );
  describeRedis(UNORDERED, server, ({ url }) => ({ url, ordered: false }), {
    views: fewer,
    deviations: Object.fromEntries(
      ["", " through a scope of a namespace"].flatMap((view) =>
        LEFT_TO_THE_SERVER.map(([title, reason]) => [`${UNORDERED}${view} › ${title}`, reason]),
      ),
    ),
  });
} else {
  test("redis in 16 partitions, and without an index", (context) => context.skip("needs KV_TEST_FULL=1"));
}
