import { type Emulator, startEmulator } from "@kv/arangodb-emulator";
import { createStore, type Store } from "@kv/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { arangodb, type Links, links } from "../../src/index.ts";
import { type CountingClient, countingClient } from "../counting-client.ts";
import { entries, OPERATIONS } from "../operations.ts";

let emulator: Emulator;
let counting: CountingClient;
let store: Store;
let linked: Links;

beforeAll(async () => {
  emulator = await startEmulator();
  counting = countingClient(emulator.url);
  store = createStore(arangodb({ client: counting.client }), { sweepInterval: null });
  linked = links(store);
  await store.setMany([...entries(1000), ["n", 0]]);
  await linked.link("k000", "to", "k001");
});
afterAll(async () => {
  await store.close();
  await emulator.close();
});

describe("requests", () => {
  test.each(OPERATIONS)("$name: $requests", async ({ requests, run }) => {
    const traffic = await counting.during(() => run(store, linked));
    const [least, most] = typeof requests === "number" ? [requests, requests] : requests;
    expect(traffic.requests).toBeGreaterThanOrEqual(least);
    expect(traffic.requests).toBeLessThanOrEqual(most);
  });

  test("opening what is there takes 4, and 2 more at most where answers take their time, and the first write to a namespace 1 more", async () => {
    const another = createStore(arangodb({ client: counting.client }), { sweepInterval: null });
    expect((await counting.during(() => another.ping())).requests).toBeLessThanOrEqual(7);
    await another.set("first", 1);
    expect((await counting.during(() => another.namespace("n").set("k", 1))).requests).toBe(2);
    expect((await counting.during(() => another.namespace("n").set("k", 2))).requests).toBe(1);
    await another.close();
  });

  test("those who begin to watch at once share a look, and need one more where another is on its way", async () => {
    const watching = createStore(arangodb({ client: counting.client, watchInterval: 60_000 }), {
      sweepInterval: null,
    });
    await watching.ping();
    const begin = (count: number) =>
      Promise.all(Array.from({ length: count }, () => watching.subscribe(() => {})));
    expect((await counting.during(() => begin(50))).requests).toBe(2);
    await watching.close();
  });

  test("who does not watch does not look", async () => {
    const traffic = await counting.during(() => new Promise((resolve) => setTimeout(resolve, 300)));
    expect(traffic.requests).toBe(0);
  });
});
