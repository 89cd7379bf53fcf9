import { setTimeout as sleep } from "node:timers/promises";
import { type Emulator, startEmulator } from "@kv/arangodb-emulator";
import { createStore, namespaceOf, type Store } from "@kv/core";
import { Database } from "arangojs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { arangodb } from "../src/index.ts";
import { identityOf, namespacePart } from "../src/stored/document.ts";
import { layoutOf } from "../src/stored/layout.ts";
import { WRITES } from "../src/write/write-queries.ts";

const ROOT = namespaceOf([]);
const PATIENCE = { timeout: 10_000 };

let emulator: Emulator;
let database: Database;
beforeAll(async () => {
  emulator = await startEmulator({ ttlFrequency: 50 });
  database = new Database({ url: emulator.url });
});
afterAll(() => emulator.close());

function storeFor(collection: string): Store {
  const url = emulator.url;
  const store = createStore(arangodb({ url, collection, watchInterval: 10 }), { sweepInterval: null });
  onTestFinished(() => store.close());
  return store;
}

async function watched(store: Store): Promise<string[]> {
  const seen: string[] = [];
  await store.subscribe(({ type, key = "" }) => void seen.push(`${type} ${key}`));
  return seen;
}

describe("watching", () => {
  test("a write that takes effect late, when many others have, is not missed", async () => {
    const store = storeFor("late");
    const layout = layoutOf("late");
    await store.set("first", 1);
    // A writer of another process, in the middle of its statement.
    const system = database.collection<{ kind: string; until: number; watchedUntil: number }>(layout.system);
    const listed = await database.query(
      `FOR s IN @@system FILTER s.kind == "namespace" AND s.n == "" RETURN s._key`,
      { "@system": layout.system },
    );
    const space = String(await listed.next());
    const until = Date.now() + 60_000;
    await system.save({ _key: "slow", kind: "writer", until, watchedUntil: until });
    const seen = await watched(store);
    const transaction = await database.beginTransaction({
      write: [layout.entries, layout.changes],
      read: [layout.system],
    });
    const doc = { ...identityOf(ROOT, "late"), value: 1, encoding: "json", revision: "r", policy: "persist" };
    await transaction.step(() =>
      database.query(WRITES.normal.set.text, {
        "@entries": layout.entries,
        "@changes": layout.changes,
        "@system": layout.system,
        namespace: "",
        part: namespacePart(ROOT),
        sets: [{ doc, keep: false }],
        writer: "slow",
        number: 1,
        space,
      }),
    );
    for (let i = 0; i < 20; i++) await store.set(`k${i}`, i);
    await expect.poll(() => seen, PATIENCE).toContain("set k19");
    expect(seen).not.toContain("set late");
    await transaction.commit();
    await expect.poll(() => seen, PATIENCE).toContain("set late");
  });

  test.each([
    { looked: "before watchers have looked", wait: 0 },
    { looked: "after watchers have looked", wait: 200 },
  ])("a writer whose registration is gone is registered again, $looked", async ({ wait }) => {
    const [store, watching] = [storeFor(`registered${wait}`), storeFor(`registered${wait}`)];
    await store.set("a", 1);
    const seen = await watched(watching);
    const { system } = layoutOf(`registered${wait}`);
    await database.query(`FOR s IN @@system FILTER s._key != "layout" REMOVE s IN @@system`, {
      "@system": system,
    });
    await sleep(wait);
    await store.set("b", 2);
    await expect.poll(() => seen, PATIENCE).toEqual(["set b"]);
  });

  test("a note costs one document for each statement that wrote something, and none for one that did not", async () => {
    const store = storeFor("notes");
    const notes = async () => (await database.collection("notes_changes").count()).count;
    await store.setMany(Array.from({ length: 100 }, (_, i) => [`k${i}`, i]));
    expect(await notes()).toBe(1);
    await store.create("k1", 0);
    await store.delete("absent");
    expect(await notes()).toBe(1);
    await store.delete("k1");
    expect(await notes()).toBe(2);
  });
});

describe("a watcher that could not look for a while", () => {
  // The server uses this process's clock. It jumps, and the thread that removes expired documents runs.
  test.each([90, 290, 310, 400, 3600])(
    "of %i seconds, is told what expired meanwhile, or to read again",
    async (gap) => {
      const collection = `blind${gap}`;
      const client = new Database({ url: emulator.url });
      const asked = client.query.bind(client) as (...query: unknown[]) => Promise<never>;
      let isBlind = false;
      client.query = (...query: unknown[]) =>
        isBlind ? Promise.reject(new Error("no connection")) : asked(...query);
      const store = createStore(arangodb({ client, collection, watchInterval: 10 }), { sweepInterval: null });
      onTestFinished(async () => {
        vi.useRealTimers();
        await store.close();
      });
      const seen = await watched(store);
      await store.set("short", 1, { ttl: 5 });
      await expect.poll(() => seen, PATIENCE).toEqual(["set short"]);
      isBlind = true;
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + gap * 1000 });
      const documents = database.collection<{ reclaimAt: number }>(collection);
      await documents.save({ _key: "marker", reclaimAt: 1 });
      await expect.poll(() => documents.documentExists("marker"), PATIENCE).toBe(false);
      isBlind = false;
      await expect.poll(() => seen.at(-1), PATIENCE).toMatch(/^(?:expire short|resync )$/);
    },
  );
});

describe("what has expired", () => {
  test("is taken out by the server itself, some minutes after its deadline", async () => {
    const store = storeFor("reclaimed");
    const count = async () => (await database.collection("reclaimed").count()).count;
    await store.set("long ago", 1, { expiresAt: Date.now() - 400_000 });
    await store.set("just now", 1, { expiresAt: Date.now() - 1000 });
    await store.set("stays", 1);
    await expect.poll(count, PATIENCE).toBe(2);
    expect(await store.count()).toBe(1);
    expect(await store.sweep()).toBe(1);
    expect(await count()).toBe(1);
  });

  test("a deletion beside other writes leaves a stub, which is no entry and goes like what has expired", async () => {
    const store = storeFor("stubs");
    await store.setMany([
      ["a", 1],
      ["b", 2],
    ]);
    await store.atomic().delete("a").set("b", 3).commit();
    expect(await store.count()).toBe(1);
    expect(await store.get("a")).toBeUndefined();
    await expect.poll(async () => (await database.collection("stubs").count()).count, PATIENCE).toBe(1);
    expect(await store.sweep()).toBe(0);
  });
});
