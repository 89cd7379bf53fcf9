import { readFileSync } from "node:fs";
import { Redis } from "ioredis";
import { test } from "vitest";
import { needsRedisServer } from "../services/redis/redis-binary.ts";
import { plainServer, RedisProcess } from "../services/redis/redis-process.ts";
import { describeRedis } from "./suites/redis-suite.ts";
import { fewer } from "./suites/suite-views.ts";

/** The command in the documentation that grants a user the permissions needed, in parts. */
function commandOf(page: string): string[] {
  const block = /^```\n(ACL SETUSER [^`]*)```$/m.exec(page)?.[1] ?? "";
  return block
    .replaceAll(/\s*\\\n\s*/g, " ")
    .trim()
    .split(" ");
}

// The suite as a user with only the permissions that the page on permissions lists.
const missing = await needsRedisServer();
if (process.env["KV_TEST_FULL"] !== "1") {
  test("redis by a user of few permissions", (context) => context.skip("needs KV_TEST_FULL=1"));
} else if (missing !== undefined) {
  test("redis by a user of few permissions", (context) => context.skip(String(missing.reason)));
} else {
  const server = await RedisProcess.start({ args: plainServer });
  const page = readFileSync(new URL("../../packages/redis/docs/permissions.md", import.meta.url), "utf8");
  const [name = "", ...args] = commandOf(page);
  const administrator = new Redis(server.url);
  // The suite's prefixes are its own.
  await administrator.call(
    name,
    args.map((rule) => rule.replace("kv:*", "conformance-*")),
  );
  administrator.disconnect();
  const url = server.url.replace("//", "//app:password@");
  describeRedis("redis by a user of few permissions", { url }, () => ({ url }), { views: fewer });
}
