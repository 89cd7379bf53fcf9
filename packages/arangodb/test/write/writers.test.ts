import { type Emulator, startEmulator } from "@kv/arangodb-emulator";
import { createStore } from "@kv/core";
import { Database } from "arangojs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { arangodb } from "../../src/index.ts";
import { countingClient } from "../counting-client.ts";

const PATIENCE = { timeout: 10_000 };
const MINUTES = 60_000;

let emulator: Emulator;
let database: Database;
beforeAll(async () => {
  emulator = await startEmulator({ ttlFrequency: 50 });
  database = new Database({ url: emulator.url });
});
afterAll(() => emulator.close());

async function writersOf(collection: string): Promise<Record<string, number>[]> {
  const cursor = await database.query<Record<string, number>>(
    `FOR s IN @@system FILTER s.kind == "writer" RETURN { until: s.until, watched: s.watchedUntil - DATE_NOW() }`,
    { "@system": `${collection}_system` },
  );
  return cursor.all();
}

/** Stores that write once and are closed, like short-lived processes. */
async function passersBy(collection: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const store = createStore(arangodb({ url: emulator.url, collection }), { sweepInterval: null });
    await store.set(`k${i}`, i);
    await store.close();
  }
}

describe("writers of stores that are closed", () => {
  test("end with them, and are looked at for two minutes more", async () => {
    await passersBy("ended", 2);
    for (const { until, watched } of await writersOf("ended")) {
      expect(until).toBe(0);
      expect(watched).toBeLessThanOrEqual(2 * MINUTES);
    }
  });

  test("cost a watcher nothing after that, and are gone some minutes later", async () => {
    const counting = countingClient(emulator.url);
    const adapter = arangodb({ client: counting.client, collection: "crowd", watchInterval: 60_000 });
    const store = createStore(adapter, { sweepInterval: null });
    onTestFinished(async () => {
      emulator.setClock(0);
      await store.close();
    });
    await store.set("first", 1);
    const seen: string[] = [];
    await store.subscribe(({ key = "" }) => void seen.push(key));
    const look = async () => {
      // Starting to watch polls once, and ends with that poll.
      return counting.during(async () => (await store.subscribe(() => {})).unsubscribe());
    };
    const alone = await look();
    await passersBy("crowd", 60);
    await look();
    await expect.poll(() => seen, PATIENCE).toContain("k59");
    emulator.setClock(2.2 * MINUTES);
    await look();
    emulator.setClock(2.4 * MINUTES);
    await look();
    const later = await look();
    expect(later.sent - alone.sent).toBeLessThan(200);
    expect(later.received - alone.received).toBeLessThan(200);
    expect(seen).not.toContain("resync");
    emulator.setClock(13 * MINUTES);
    await expect.poll(async () => (await writersOf("crowd")).length, PATIENCE).toBeLessThanOrEqual(1);
  }, 30_000);

  test("do not keep closing waiting where the server is gone", async () => {
    const own = await startEmulator();
    const store = createStore(arangodb({ url: own.url }), { sweepInterval: null });
    await store.set("k", 1);
    const stop = own.intercept(() => new Promise(() => {}));
    const began = performance.now();
    await store.close();
    expect(performance.now() - began).toBeLessThan(4000);
    stop();
    await own.close();
  });
});

describe("a store that writes again after its registration has run out", () => {
  test("writes under another name, and is told to watchers", async () => {
    const store = createStore(arangodb({ url: emulator.url, collection: "idle", watchInterval: 10 }), {
      sweepInterval: null,
    });
    onTestFinished(async () => {
      emulator.setClock(0);
      await store.close();
    });
    await store.set("a", 1);
    emulator.setClock(4 * MINUTES);
    const seen: string[] = [];
    await store.subscribe(({ type, key = "" }) => void seen.push(`${type} ${key}`));
    await store.set("b", 1);
    await expect.poll(() => seen, PATIENCE).toEqual(["set b"]);
  });
});

describe("a server whose thread for TTL indexes is off", () => {
  test("is swept: entries, notes and writers", async () => {
    const own = await startEmulator({ ttlFrequency: 1_000_000_000 });
    onTestFinished(() => own.close());
    const store = createStore(arangodb({ url: own.url }), { sweepInterval: null });
    onTestFinished(() => store.close());
    const client = new Database({ url: own.url });
    const count = async (part: string) => (await client.collection(`kv${part}`).count()).count;
    for (let i = 0; i < 30; i++) await store.set(`k${i}`, i, { ttl: "1m" });
    const other = createStore(arangodb({ url: own.url }), { sweepInterval: null });
    await other.set("other", 1);
    await other.close();
    expect(await count("_changes")).toBe(31);
    own.setClock(9 * MINUTES);
    await store.sweep();
    expect(await count("")).toBe(1);
    // Watchers still need the notes of the last ten minutes.
    expect(await count("_changes")).toBe(32);
    own.setClock(30 * MINUTES);
    await store.sweep();
    expect(await count("_changes")).toBe(0);
    expect(await store.get("other")).toBe(1);
    own.setClock(60 * MINUTES);
    await store.sweep();
    // The layout, the namespace, and the writer that swept.
    expect(await count("_system")).toBe(3);
  });
});
