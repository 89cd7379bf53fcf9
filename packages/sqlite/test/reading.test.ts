import type { Adapter, Namespace } from "@kv/core";
import { expect, test } from "vitest";
import { sqlite } from "../src/index.ts";
import { commitAll, opened, payloadOf, ROOT, scratchPath, setting } from "./scratch.ts";

/** As the front calls it. */
type Read = (
  namespace: Namespace,
  keys: readonly string[],
  payloadsOnly?: boolean,
) => ReturnType<Adapter["read"]>;

test("a read of payloads alone finds what a whole one finds", async () => {
  let now = 1000;
  const adapter = sqlite({ path: ":memory:", clock: () => now });
  await adapter.open();
  const read: Read = adapter.read.bind(adapter);
  const bytes = new Uint8Array([0, 1, 255]);
  await commitAll(
    adapter,
    setting("plain", { n: 1 }),
    setting("bytes", 0, { payload: bytes, encoding: "bytes" }),
    setting("custom", 0, { payload: "x", encoding: "custom" }),
    setting("later", 2, { expiresAt: 3000 }),
    setting("expired", 3, { expiresAt: 2000 }),
    setting("evictable", 4, { policy: "evict", user: '{"a":1}' }),
  );
  now = 2000;
  const keys = ["plain", "expired", "bytes", "plain", "custom", "missing", "later", "evictable", "plain"];
  const whole = await adapter.read(ROOT, keys);
  const looked = (entries: typeof whole) =>
    entries.map((entry) => entry && [entry.key, entry.encoding, entry.payload]);
  expect(looked(whole)).toEqual([
    ["plain", "json", '{"n":1}'],
    undefined,
    ["bytes", "bytes", bytes],
    ["plain", "json", '{"n":1}'],
    ["custom", "custom", "x"],
    undefined,
    ["later", "json", "2"],
    ["evictable", "json", "4"],
    ["plain", "json", '{"n":1}'],
  ]);
  expect(looked(await read(ROOT, keys, true))).toEqual(looked(whole));
  // One by one, often enough for the reader to go through all its ways.
  for (let round = 0; round < 20; round++) {
    for (const [i, key] of keys.entries()) {
      expect(looked(await read(ROOT, [key], true))).toEqual([looked(whole)[i]]);
    }
  }
  await adapter.close();
});

test("what one store wrote, another one of the same file and thread reads at once", async () => {
  const path = await scratchPath();
  const [reader, writer] = [await opened({ path }), await opened({ path })];
  for (let i = 0; i < 100; i++) {
    // From the second read of a turn on there is a snapshot.
    await payloadOf(reader, "k");
    await payloadOf(reader, "k");
    await commitAll(writer, setting("k", i));
    expect(await payloadOf(reader, "k")).toBe(String(i));
  }
});
