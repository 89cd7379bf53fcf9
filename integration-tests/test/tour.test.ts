import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { isMissing } from "../services/service.ts";
import { sharedRedisServers } from "../services/shared.ts";
import { scratchDirectory } from "./processes/child.ts";

const run = promisify(execFile);
const main = fileURLToPath(new URL("../../packages/tour/src/main.ts", import.meta.url));

const [server = { reason: "no Redis was offered" }] = await sharedRedisServers();

describe("the tour through a Redis that is named", () => {
  test("gets the same answers, and leaves nothing there", async (context) => {
    if (isMissing(server)) return context.skip(server.reason);
    const client = new Redis(server.url);
    onTestFinished(() => client.disconnect());
    // Somebody's, and only nearly called as the tour's.
    const theirs = ["kv-tour", "kv-tour:", "kv-tours:{x}"];
    for (const name of theirs) await client.set(name, "theirs");
    const { stdout, stderr } = await run(process.execPath, [main, scratchDirectory(onTestFinished)], {
      env: { ...process.env, KV_TEST_REDIS_URL: server.url, NO_COLOR: "1" },
    });
    expect(stderr).toBe("");
    expect(stdout).toMatch(/ memory +SQLite +LevelDB +hybrid +tiered +Redis\n/);
    expect(stdout).toContain("same answer ✓  to all 11 questions from all 6 stores");
    expect(stdout).not.toContain("Not run: Redis");
    for (const line of stdout.split("\n"))
      if (!/tour\.(db|level)/.test(line)) expect(line.length).toBeLessThanOrEqual(80);
    expect((await client.keys("kv-tour*")).sort()).toEqual(theirs);
    await client.unlink(theirs);
  });
});
