import { expect, it } from "vitest";
import { scratchDirectory, startChildWith } from "./child.ts";

const FULL = process.env["KV_TEST_FULL"] === "1";

for (const [many, descriptors, durability] of [
  [300, 128, "fast"],
  [1500, 256, "fast"],
  [1500, 256, "full"],
] as const)
  it(`${many} of everything in one tick need no more than ${descriptors} descriptors, durability: ${durability}`, async (ctx) => {
    if (many > 300 && !FULL) return ctx.skip("needs KV_TEST_FULL=1");
    if (process.platform === "win32") return ctx.skip("needs ulimit");
    const directory = scratchDirectory(ctx.onTestFinished);
    const child = startChildWith(descriptors, "hybrid/hybrid-many", directory, String(many), durability);
    ctx.onTestFinished(() => void child.process.kill("SIGKILL"));
    const ended = await child.ended;
    expect(child.lines()).toEqual([
      `set: ${many} right`,
      `set in namespaces: ${many} right`,
      `get: ${many} right`,
      `getMany: ${many} right`,
      `scan: ${many} right`,
      `getStream: ${many} right`,
      `setStream: ${many} right`,
      "verify and collect: 2 right",
      "left: 0 0",
    ]);
    expect(ended).toEqual({ code: 0, signal: null });
  }, 300_000);

it("a process whose descriptors are taken by the rest of it waits for a moment, and then says so", async (ctx) => {
  if (process.platform === "win32") return ctx.skip("needs ulimit");
  const child = startChildWith(64, "hybrid/hybrid-crowded", scratchDirectory(ctx.onTestFinished));
  ctx.onTestFinished(() => void child.process.kill("SIGKILL"));
  const ended = await child.ended;
  const full = expect.stringMatching(/^KV_UNAVAILABLE.*too many files open/);
  expect(child.lines()).toEqual(["a value", "another", "a value", full, full, "undefined", `"a value"`]);
  expect(ended).toEqual({ code: 0, signal: null });
});
