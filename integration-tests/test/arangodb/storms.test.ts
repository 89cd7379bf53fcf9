import { arangodb } from "@kv/arangodb";
import { type Emulator, startEmulator } from "@kv/arangodb-emulator";
import { createStore, type Store } from "@kv/core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

const WRITERS = 64;

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());

/** Stores that share nothing but the data: each is what another process would be. */
function writers(collection: string, count = WRITERS): Store[] {
  const url = `${emulator.url}/storms`;
  const stores = Array.from({ length: count }, () =>
    createStore(arangodb({ url, collection, busyTimeout: 15_000, requestTimeout: 15_000 }), { timeout: 20 }),
  );
  onTestFinished(async () => {
    await Promise.all(stores.map((store) => store.close()));
  });
  return stores;
}

async function opened(collection: string, count?: number): Promise<Store[]> {
  const stores = writers(collection, count);
  await Promise.all(stores.map((store) => store.ping()));
  return stores;
}

describe("64 writers at once", () => {
  test("make database, collections and indexes together, and each finds what the others wrote", async () => {
    const stores = writers("opening");
    await Promise.all(stores.map((store, i) => store.set(`k${i}`, i)));
    expect(await stores[0]?.count()).toBe(WRITERS);
  });

  test("on one counter: every increment counts", async () => {
    const stores = await opened("counter");
    const values = await Promise.all(stores.map((store) => store.increment("n")));
    expect(values.toSorted((a, b) => a - b)).toEqual(stores.map((_, i) => i + 1));
    expect(await stores[0]?.get("n")).toBe(WRITERS);
  });

  test("on one key: exactly one of them creates it, and exactly one takes it", async () => {
    const stores = await opened("creation");
    const created = await Promise.all(stores.map((store, i) => store.create("k", i)));
    const winner = created.findIndex((revision) => revision !== undefined);
    expect(created.filter((revision) => revision !== undefined)).toHaveLength(1);
    const taken = await Promise.all(stores.map((store) => store.take("k")));
    expect(taken.filter((value) => value !== undefined)).toEqual([winner]);
  });

  test("in one transaction: the sum stays, and nothing is paid twice", async () => {
    const stores = await opened("accounts");
    await stores[0]?.setMany([
      ["a", WRITERS],
      ["b", 0],
    ]);
    await Promise.all(
      stores.map((store) =>
        store.transaction(
          async (tx) => {
            const [a, b] = [Number(await tx.get("a")), Number(await tx.get("b"))];
            tx.set("a", a - 1);
            tx.set("b", b + 1);
          },
          { attempts: 1000 },
        ),
      ),
    );
    expect(await stores[0]?.getMany(["a", "b"])).toEqual([0, WRITERS]);
  });

  test("that rely on what the others write: no two of them change what the other one has read", async () => {
    const stores = await opened("skew", 32);
    await Promise.all(
      stores.map(async (store, i) => {
        const [mine, theirs] = [`d${i}`, `d${i ^ 1}`];
        // Either of a pair may go, but not both: each checks that the other one is still there.
        return store.atomic().check(theirs, null).set(mine, true).commit();
      }),
    );
    for (let pair = 0; pair < stores.length; pair += 2) {
      const both = await stores[0]?.getMany([`d${pair}`, `d${pair + 1}`]);
      expect(both?.filter((value) => value === true)).toHaveLength(1);
    }
  });
});

describe("a writer that others disturb all the time", () => {
  test("gives up when its time is up, says that nothing was written, and that it may be tried again", async () => {
    const url = `${emulator.url}/storms`;
    const stores = Array.from({ length: 16 }, () =>
      createStore(arangodb({ url, collection: "patience", busyTimeout: 0 })),
    );
    onTestFinished(async () => {
      await Promise.all(stores.map((store) => store.close()));
    });
    await Promise.all(stores.map((store) => store.ping()));
    const outcomes = await Promise.allSettled(stores.map((store) => store.increment("n")));
    const refused = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
    expect(refused.length).toBeGreaterThan(0);
    for (const error of refused) {
      expect(error).toMatchObject({ code: "KV_UNAVAILABLE", retryable: true });
      expect(error.message).toMatch(/nothing was written/);
    }
    expect(await stores[0]?.get("n")).toBe(stores.length - refused.length);
  });
});
