import { type Emulator, startEmulator } from "@kv/arangodb-emulator";
import { createStore, type Store } from "@kv/core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { arangodb, links } from "../../src/index.ts";

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());

let names = 0;
function storeFor(durability: "full" | "normal"): Store {
  const adapter = arangodb({ url: emulator.url, collection: `c${++names}`, durability });
  const store = createStore(adapter, { sweepInterval: null });
  onTestFinished(() => store.close());
  return store;
}

const WRITES: readonly (readonly [name: string, write: (store: Store) => Promise<unknown>])[] = [
  ["set", (store) => store.set("a", 2)],
  [
    "setMany",
    (store) =>
      store.setMany([
        ["a", 2],
        ["x", 1],
      ]),
  ],
  ["setCache", (store) => store.setCache("x", 1)],
  ["create", (store) => store.create("x", 1)],
  [
    "replace",
    async (store) => store.replace("a", 2, { revision: (await store.getMetadata("a"))?.revision ?? "" }),
  ],
  ["increment", (store) => store.increment("a")],
  ["update", (store) => store.update("a", () => 5)],
  ["updateTtl", (store) => store.updateTtl("a", "1h")],
  ["updatePolicy", (store) => store.updatePolicy("a", "evict")],
  ["delete", (store) => store.delete("a")],
  ["take", (store) => store.take("a")],
  ["a set and an increment in one tick", (store) => Promise.all([store.set("a", 1), store.increment("a")])],
  ["a commit", (store) => store.atomic().delete("a").set("x", 1).commit()],
  ["a transaction", (store) => store.transaction(async (tx) => tx.set("x", await tx.get("a")))],
  ["clear", (store) => store.clear()],
  ["clearCache", (store) => store.clearCache()],
  ["clear with namespaces", (store) => store.clear({ namespaces: true })],
  ["link", (store) => links(store).link("a", "to", "b")],
  ["unlink", (store) => links(store).unlink("b", "to", "a")],
];

describe('durability: "full"', () => {
  test.each(WRITES)("%s survives a loss of power right after it", async (_, write) => {
    const store = storeFor("full");
    await store.set("a", 1);
    await store.set("b", 1);
    await store.setCache("c", 1);
    await store.namespace("n").set("k", 1);
    await links(store).link("b", "to", "a");
    await store.set("b", 1);
    await write(store);
    const state = async () => [
      (await store.range("")).map(([key, value]) => [key, value]),
      (await Promise.all(["a", "b", "c"].map((key) => store.getMetadata(key)))).map((each) => [
        each?.expiresAt,
        each?.policy,
      ]),
      await store.listNamespaces(),
      await links(store).related("a"),
      await links(store).related("b"),
    ];
    const before = await state();
    emulator.losePower();
    expect(await state()).toEqual(before);
  });

  test("is what makes the difference", async () => {
    const store = storeFor("normal");
    await store.set("a", 1);
    emulator.losePower();
    expect(await store.get("a")).toBeUndefined();
  });
});
