import { createStore, forward, ServerClock } from "@kv/core";
import { memory } from "@kv/memory";
import { expect, it } from "vitest";
import { files, hybrid } from "../src/index.ts";
import { scratchDirectory } from "./scratch.ts";

it("a stream that took its time is dated by the index's clock as it is when the stream ends", async () => {
  const server = { time: 1_790_000_000_000 };
  const local = { wall: 1_700_000_000_000, monotonic: 0 };
  const clock = new ServerClock(async () => server.time, {
    wall: () => local.wall,
    monotonic: () => local.monotonic,
  });
  const index = forward(memory({ clock: () => server.time }), { clock: clock.now, syncClock: clock.sync });
  await using store = createStore(hybrid({ index, directory: await scratchDirectory() }));
  async function* slow(): AsyncGenerator<string> {
    yield "some ";
    server.time += 3_600_000;
    local.wall += 3_600_000;
    yield "text";
  }
  await files(store).setStream("k", slow(), { ttl: "60s" });
  expect(await store.get("k")).toEqual(new TextEncoder().encode("some text"));
  const ends = (await store.getMetadata("k"))?.expiresAt?.getTime() ?? 0;
  expect(Math.abs(ends - server.time - 60_000)).toBeLessThan(2000);
  await store.set("l", "x".repeat(100_000), { ttl: "60s" });
  expect(await store.has("l")).toBe(true);
});

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
