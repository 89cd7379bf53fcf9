import { type Codec, createStore, type Store } from "@kv/core";
import { describe, expect, it } from "vitest";
import { FakeAdapter } from "./fake-adapter.ts";

/** A codec whose entries no other store can read. */
const SECRET: Codec = { name: "secret", encode: () => "x", decode: () => 0 };

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function later(): FakeAdapter {
  return new FakeAdapter({ schedule: (effect) => pause(1).then(effect) });
}

async function valuesOf(store: Store): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of store.values()) values.push(value);
  return values;
}

describe("onCorrupt", () => {
  it("gets what it throws back as it is, from every kind of scan", async () => {
    const adapter = new FakeAdapter({ errorCode: () => "KV_CAPACITY" });
    await createStore(adapter, { codec: SECRET }).setMany([
      ["a", 1],
      ["b", 1],
    ]);
    const mine = new RangeError("mine");
    const store = createStore(adapter, {
      onCorrupt: () => {
        throw mine;
      },
    });
    await expect(valuesOf(store)).rejects.toBe(mine);
    await expect(store.range("a")).rejects.toBe(mine);
    await expect(store.page()).rejects.toBe(mine);
    // A failed scan has ended, and the store works as before.
    expect(await store.count()).toBe(2);
  });

  it("may close the store", async () => {
    const adapter = new FakeAdapter();
    await createStore(adapter, { codec: SECRET }).setMany([
      ["a", 1],
      ["b", 1],
    ]);
    const closing: Promise<void>[] = [];
    const store: Store = createStore(adapter, { onCorrupt: () => void closing.push(store.close()) });
    await expect(valuesOf(store)).rejects.toMatchObject({ code: "KV_CLOSED" });
    await Promise.all(closing);
  });
});

describe("functions that use or close the store", () => {
  it("an update's function may write the key, and close the store", async () => {
    const store = createStore(later());
    const own: Promise<unknown>[] = [];
    expect(
      await store.update("k", (value) => {
        if (own.length === 0) own.push(store.set("k", 5));
        return Number(value ?? 0) + 1;
      }),
    ).toBe(1);
    await Promise.all(own);
    expect(await store.get("k")).toBe(5);
    const closing: Promise<void>[] = [];
    expect(
      await store.update("k", () => {
        closing.push(store.close());
        return 6;
      }),
    ).toBe(6);
    await Promise.all(closing);
  });

  it("one that waits for the end of the store is given up by it, and nothing is written", async () => {
    const store = createStore(later(), { timeout: "100ms" });
    const transaction = store.transaction(async (tx) => {
      await store.close();
      tx.set("k", 1);
    });
    await expect(transaction).rejects.toMatchObject({ code: "KV_CLOSED" });
  });
});
