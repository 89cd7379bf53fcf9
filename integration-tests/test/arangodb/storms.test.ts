import { isDeepStrictEqual } from "node:util";
import { arangodb } from "@kv/arangodb";
import { compareKeys, createStore, type Store } from "@kv/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { inEveryPlace, type Place } from "./places.ts";

const WRITERS = 64;

await inEveryPlace("en_US_POSIX", testsOf);

function testsOf(place: Place): void {
  /** Stores that share nothing but the data: each is what another process would be. */
  function writers(name: string, count = WRITERS): Store[] {
    const collection = place.collection(name);
    const url = place.url("storms");
    const stores = Array.from({ length: count }, () =>
      createStore(arangodb({ url, collection, busyTimeout: 120_000, requestTimeout: 120_000 }), {
        timeout: 150,
      }),
    );
    onTestFinished(async () => {
      await Promise.all(stores.map((store) => store.close()));
    });
    return stores;
  }

  async function opened(name: string, count?: number): Promise<Store[]> {
    const stores = writers(name, count);
    await Promise.all(stores.map((store) => store.ping()));
    return stores;
  }

  describe("64 writers at once", { timeout: 180_000 }, () => {
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

  describe("a watcher", { timeout: 120_000 }, () => {
    test("is told the last state of every key that 16 stores set, delete and let expire at once", async () => {
      const [watching, ...stores] = await opened("watched", 17);
      const states = new Map<string, unknown>();
      let resyncs = 0;
      await watching?.subscribe(({ type, key = "", value }) => {
        if (type === "resync") resyncs++;
        else if (type === "set" || type === "touch") states.set(key, value);
        else states.delete(key);
      });
      await Promise.all(
        stores.map(async (store, i) => {
          for (let round = 0; round < 10; round++) {
            const key = `k${(i * 7 + round * 3) % 40}`;
            if (round % 4 === 3) await store.delete(key);
            else if (round % 4 === 2) await store.set(key, "short", { ttl: 0.05 });
            else await store.set(key, { by: i, round });
          }
        }),
      );
      await watching?.set("end", true);
      await expect.poll(() => states.get("end"), { timeout: 30_000 }).toBe(true);
      // Some may expire only now: both are looked at until they are the same.
      const both = async () => [await watching?.range(""), [...states].sort(([a], [b]) => compareKeys(a, b))];
      await expect
        .poll(both, { timeout: 30_000 })
        .toSatisfy(([held, told]: unknown[]) => isDeepStrictEqual(held, told));
      expect(resyncs).toBe(0);
    });
  });

  describe("a writer that others disturb all the time", { timeout: 60_000 }, () => {
    test("gives up when its time is up, says that nothing was written, and that it may be tried again", async () => {
      const url = place.url("storms");
      const collection = place.collection("patience");
      const store = createStore(arangodb({ url, collection, busyTimeout: 200 }), { timeout: 40 });
      onTestFinished(() => store.close());
      await store.increment("n");
      // Another transaction that writes the key and never ends.
      const database = place.database("storms");
      const transaction = await database.beginTransaction({ write: [collection] });
      await transaction.step(() =>
        database.query(`FOR d IN @@c FILTER d.key == "n" UPDATE d WITH { disturbed: true } IN @@c`, {
          "@c": collection,
        }),
      );
      const error: unknown = await store.increment("n").catch((refusal: unknown) => refusal);
      expect(error).toMatchObject({ code: "KV_UNAVAILABLE", retryable: true });
      expect(String(error)).toMatch(/nothing was written/);
      await transaction.abort();
      expect(await store.increment("n")).toBe(2);
    });
  });
}
