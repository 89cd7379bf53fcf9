import { type Emulator, startEmulator } from "@kv/arangodb-emulator";
import { createStore, type Store } from "@kv/core";
import { Database } from "arangojs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { arangodb } from "../src/index.ts";

const MINUTES = 60_000;

let emulator: Emulator;
let database: Database;
beforeAll(async () => {
  emulator = await startEmulator({ ttlFrequency: 20 });
  database = new Database({ url: emulator.url });
});
afterAll(() => emulator.close());

function storeFor(collection: string): Store {
  // A busy machine makes the emulator slow.
  const patient = { requestTimeout: 50_000, busyTimeout: 50_000 };
  const adapter = arangodb({ url: emulator.url, collection, ...patient });
  const store = createStore(adapter, { sweepInterval: null, timeout: 60 });
  onTestFinished(async () => {
    emulator.setClock(0);
    await store.close();
  });
  return store;
}

async function listed(collection: string): Promise<number> {
  const cursor = await database.query<number>(
    `RETURN LENGTH(FOR s IN @@system FILTER s.kind == "namespace" RETURN 1)`,
    { "@system": `${collection}_system` },
  );
  return (await cursor.next()) ?? Number.NaN;
}

describe("namespaces that are empty", () => {
  test("leave nothing behind, some minutes and sweeps later", async () => {
    const store = storeFor("tenants");
    await store.namespace("stays").set("k", 1);
    const tenants = Array.from({ length: 50 }, (_, i) => store.namespace("tenant", `${i}`));
    await Promise.all(tenants.map((tenant) => tenant.set("k", 1)));
    await Promise.all(tenants.map((tenant, i) => (i % 2 === 0 ? tenant.delete("k") : tenant.clear())));
    expect(await listed("tenants")).toBe(51);
    await store.sweep();
    expect(await listed("tenants")).toBe(51);
    emulator.setClock(3 * MINUTES);
    await store.sweep();
    expect(await listed("tenants")).toBe(1);
    expect(await store.listNamespaces()).toEqual([["stays"]]);
    await tenants[3]?.set("k", "again");
    expect(await store.listNamespaces({ depth: 2 })).toContainEqual(["tenant", "3"]);
  });

  test("are on the list again with the next write, whatever a sweep thought of them", async () => {
    const [store, other] = [storeFor("marked"), storeFor("marked")];
    const tenant = store.namespace("tenant");
    await tenant.set("k", 1);
    await tenant.delete("k");
    await other.sweep();
    // Marked as empty, then written to.
    await tenant.set("k", 2);
    emulator.setClock(3 * MINUTES);
    await other.sweep();
    expect(await store.listNamespaces()).toEqual([["tenant"]]);
    expect(await store.clear({ namespaces: true })).toBe(1);
    expect(await tenant.get("k")).toBeUndefined();
  });

  test("are never lost while others write to them and sweep", async () => {
    const stores = Array.from({ length: 4 }, () => storeFor("storm"));
    let minutes = 0;
    let isOver = false;
    const sweeping = (async () => {
      while (!isOver) {
        // No statement runs as long as the clock suggests: those that began before it was set have ended.
        await new Promise((resolve) => setTimeout(resolve, 100));
        minutes += 3;
        emulator.setClock(minutes * MINUTES);
        await stores[0]?.sweep();
      }
    })();
    for (let round = 0; round < 12; round++) {
      await Promise.all(
        stores.map(async (store, i) => {
          const tenant = store.namespace(`${i % 2}`);
          await tenant.set(`k${i}`, round);
          const names = (await store.listNamespaces()).map(([name]) => name);
          expect(names).toContain(`${i % 2}`);
          await tenant.delete(`k${i}`);
        }),
      );
    }
    isOver = true;
    await sweeping;
  }, 60_000);
});
