import { type Emulator, startEmulator } from "@kv/arangodb-emulator";
import { createStore, type Store } from "@kv/core";
import { Database } from "arangojs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { arangodb } from "../../src/index.ts";

let emulator: Emulator;
let database: Database;
beforeAll(async () => {
  emulator = await startEmulator();
  database = new Database({ url: emulator.url });
});
afterAll(() => emulator.close());

function storeFor(collection: string): Store {
  const store = createStore(arangodb({ url: emulator.url, collection }), {
    sweepInterval: null,
    onCorrupt: "skip",
  });
  onTestFinished(() => store.close());
  return store;
}

/** Edits a document, as in the web interface. */
function edit(collection: string, key: string, patch: object): Promise<unknown> {
  return database.query(
    `FOR d IN @@c FILTER d.key == @key UPDATE d WITH @patch IN @@c OPTIONS { mergeObjects: false, keepNull: false }`,
    {
      "@c": collection,
      key,
      patch,
    },
  );
}

describe("a document that was edited by hand", () => {
  test("is read as it is now, if it is an entry still", async () => {
    const store = storeFor("edited");
    await store.set("k", { a: 1 }, { metadata: { by: "x" } });
    await edit("edited", "k", { value: { a: 2, b: [null, "x"] }, metadata: { by: "y" } });
    expect(await store.getEntry("k")).toMatchObject({
      value: { a: 2, b: [null, "x"] },
      metadata: { user: { by: "y" } },
    });
    await edit("edited", "k", { value: 5 });
    expect(await store.increment("k")).toBe(6);
  });

  test.each([
    ["encoding", { encoding: null }],
    ["encoding", { encoding: 7 }],
    ["revision", { revision: null }],
    ["createdAt", { createdAt: "2026-11-29" }],
    ["updatedAt", { updatedAt: null }],
    ["expiresAt", { expiresAt: "tomorrow" }],
    ["policy", { policy: "sometimes" }],
    ["metadata", { metadata: 3 }],
    ["metadata", { metadata: "no JSON" }],
    ["bytes", { encoding: "bytes" }],
    ["key", { key: "other" }],
  ])("that is none (%s) is KV_CORRUPT, and takes no other entry along", async (attribute, patch) => {
    const collection = `broken-${attribute}-${JSON.stringify(patch).length}`;
    const store = storeFor(collection);
    await store.setMany([
      ["a", 1],
      ["k", { v: 1 }],
      ["z", 2],
    ]);
    await edit(collection, "k", patch);
    const error: unknown = await store.get("k").catch((refusal: unknown) => refusal);
    expect(error).toMatchObject({
      code: "KV_CORRUPT",
      key: "k",
      message: expect.stringContaining(attribute),
    });
    const others: string[] = [];
    for await (const { key } of store.entries()) others.push(key);
    expect(others.filter((key) => key === "a" || key === "z")).toEqual(["a", "z"]);
    expect(await store.has("k")).toBe(true);
    await store.delete("k");
    expect(await store.get("k")).toBeUndefined();
    await store.set("k", 3);
    expect(await store.get("k")).toBe(3);
  });

  test("so that it lacks the attributes it is found by, is no entry any more, and is in no one's way", async () => {
    const store = storeFor("unlisted");
    await store.setMany([
      ["a", 1],
      ["k", 1],
    ]);
    await edit("unlisted", "k", { n: null, k: null });
    expect(await store.count()).toBe(1);
    expect(await store.range("")).toEqual([["a", 1]]);
    await store.set("k", 2);
    expect(await store.range("")).toEqual([
      ["a", 1],
      ["k", 2],
    ]);
  });
});
