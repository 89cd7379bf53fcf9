import { forward } from "@kv/core";
import { memory } from "@kv/memory";
import { expect, it } from "vitest";
import { hybrid } from "../src/index.ts";
import { scratchDirectory } from "./scratch.ts";

it("the clock is the index's, and is measured when the index's is", async () => {
  let measured = 0;
  const index = forward(memory(), {
    clock: () => 42,
    async syncClock() {
      measured++;
    },
  });
  const directory = await scratchDirectory();
  const adapter = hybrid({ index, directory });
  await adapter.syncClock?.();
  expect([adapter.clock(), measured]).toEqual([42, 1]);
  expect(hybrid({ index: memory(), directory }).syncClock).toBeUndefined();
});
