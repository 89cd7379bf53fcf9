import { expect, it } from "vitest";
import { scratchDirectory, startChild } from "./child.ts";

const FULL = process.env["KV_TEST_FULL"] === "1";
const MB = 2 ** 20;
const SIZE = FULL ? 1024 * MB : 64 * MB;

for (const [compress, limit] of [
  ["", 150],
  // zlib has windows of its own, and gives them back when the collector comes by.
  ["gzip", 200],
] as const) {
  it(`a stream of ${SIZE / MB} MB goes in and out${compress && ", compressed,"} in less than ${limit} MB of memory`, async (ctx) => {
    if (compress !== "" && !FULL) return ctx.skip("needs KV_TEST_FULL=1");
    const { onTestFinished } = ctx;
    const directory = scratchDirectory(onTestFinished);
    const child = startChild("hybrid/hybrid-stream", directory, String(SIZE), compress);
    onTestFinished(() => void child.process.kill("SIGKILL"));
    const { peakMemory, ...told } = JSON.parse(await child.line(() => true)) as Record<string, number>;
    expect(told).toEqual({ bytes: SIZE, equal: true, problems: 0 });
    expect(peakMemory).toBeLessThan(limit * MB);
    expect(await child.ended).toEqual({ code: 0, signal: null });
    console.log(`${SIZE / MB} MB in and out: ${Math.round((peakMemory ?? 0) / MB)} MB of memory at most`);
  }, 300_000);
}
