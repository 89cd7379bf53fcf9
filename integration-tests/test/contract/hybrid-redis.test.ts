import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { redisHybrid } from "@kv/hybrid/redis";
import { test } from "vitest";
import { sharedRedisServer } from "../../services/shared.ts";

// The suite reads this when it is loaded. Properties need few runs here, since only the index varies.
process.env["KV_TEST_THOROUGHNESS"] ??= "1";
const { describeHybrid } = await import("../suites/hybrid-suite.ts");

const full = process.env["KV_TEST_FULL"] === "1";
const server = full ? await sharedRedisServer() : { reason: "needs KV_TEST_FULL=1" };

if ("reason" in server) test("hybrid over redis", (context) => context.skip(String(server.reason)));
else {
  const { url } = server;
  describeHybrid(
    "hybrid over redis with everything in files",
    ({ directory }) =>
      redisHybrid({
        url,
        prefix: `${basename(directory)}:`,
        directory: join(directory, "files"),
        inlineBelow: 0,
      }),
    // Changes come back from the server, whose clock is its own.
    { persists: true, keepsTime: false, settle: () => sleep(100) },
  );
}
