import { aql, arangodb, query } from "@kv/arangodb";
import { openStore } from "@kv/config";
import { type CreateStoreOptions, createStore, type KvError, type Store, structured } from "@kv/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { inEveryPlace, type Place } from "./places.ts";

await inEveryPlace("cs", testsOf);

function testsOf(place: Place): void {
  const storeFor = (name: string, options?: CreateStoreOptions): Store => {
    const store = createStore(
      arangodb({ url: place.url("queries"), collection: place.collection(name) }),
      options,
    );
    onTestFinished(() => store.close());
    return store;
  };

  test("openStore opens it by a URL whose query has options", async () => {
    const url = place.url("queries").replace(/^http/, "arangodb");
    const collection = place.collection("configured");
    await using store = await openStore(`${url}?collection=${collection}&watchInterval=50&durability=full`);
    await store.set("k", 1);
    expect((await store.stats()).backend).toMatchObject({ database: "queries", collection });
  });

  describe("documents", () => {
    test("are readable: key, namespace, value, times, policy and metadata", async () => {
      const store = storeFor("readable");
      const options = { ttl: 100, policy: "evict", metadata: { by: "test" } } as const;
      await store.namespace("tenant", "a/b").set("user:1", { name: "Ada", tags: ["x"] }, options);
      const documents = place.database("queries").collection(place.collection("readable"));
      const cursor = await place
        .database("queries")
        .query(aql`FOR d IN ${documents} RETURN UNSET(d, "_id", "_rev", "_key")`);
      expect(await cursor.all()).toEqual([
        {
          n: expect.stringMatching(/^[0-9bcjkqt]+$/),
          k: expect.stringMatching(/^[0-9bcjkqt]+$/),
          namespace: "tenant/a~1b/",
          key: "user:1",
          value: { name: "Ada", tags: ["x"] },
          encoding: "json",
          revision: expect.any(String),
          origin: expect.any(String),
          createdAt: expect.any(Number),
          updatedAt: expect.any(Number),
          expiresAt: expect.any(Number),
          reclaimAt: expect.any(Number),
          policy: "evict",
          metadata: { by: "test" },
        },
      ]);
    });

    test("hold bytes in base64, and texts of other codecs as text", async () => {
      const store = storeFor("forms", { codec: structured });
      await store.set("bytes", new Uint8Array([1, 2, 3]));
      await store.set("date", new Date(0));
      const found = await query<unknown>(
        store,
        ({ entries, mine }) =>
          aql`FOR d IN ${entries} FILTER ${mine} SORT d.k RETURN [d.key, d.bytes, d.text]`,
      );
      expect(found).toEqual([
        ["bytes", "AQID", null],
        ["date", null, expect.stringContaining("1970")],
      ]);
    });
  });

  describe("a query of one's own", () => {
    test("sees the live entries of its view, and what varies is bound", async () => {
      const store = storeFor("own");
      await store.scope("p").setMany([
        ["ada", { age: 36 }],
        ["bob", { age: 12 }],
        ["old", { age: 90 }, { expiresAt: Date.now() - 1 }],
      ]);
      await store.namespace("n").scope("p").set("eve", { age: 40 });
      const adults = (view: Store, age: number) =>
        query<string>(
          view,
          ({ entries, mine }) =>
            aql`FOR d IN ${entries} FILTER ${mine} AND d.value.age >= ${age} SORT d.key RETURN d.key`,
        );
      expect(await adults(store.scope("p"), 18)).toEqual(["p:ada"]);
      expect(await adults(store, 0)).toEqual(["p:ada", "p:bob"]);
      expect(await adults(store.scope("q"), 0)).toEqual([]);
      expect(await adults(store.namespace("n"), 18)).toEqual(["p:eve"]);
    });

    test("comes after the writes that were called before it", async () => {
      const store = storeFor("ordered");
      const written = store.set("k", 1);
      const keys = await query(
        store,
        ({ entries, mine }) => aql`FOR d IN ${entries} FILTER ${mine} RETURN d.key`,
      );
      expect(keys).toEqual(["k"]);
      await written;
    });

    test("is refused where it is put together from text, or writes", async () => {
      const store = storeFor("careful");
      const refusal = (statement: Parameters<typeof query>[1]) =>
        query(store, statement).catch((error: KvError) => `${error.code} ${error.message}`);
      expect(await refusal(() => ({ query: "RETURN 1", bindVars: {} }))).toMatch(
        /^KV_INVALID_OPTION .*must be an aql template/,
      );
      expect(await refusal(({ entries }) => aql`FOR d IN ${entries} REMOVE d IN ${entries}`)).toMatch(
        /only reads/,
      );
      expect(
        await refusal(
          ({ entries }) => aql`LET x = "\\
          " INSERT { x } INTO ${entries} RETURN "y"`,
        ),
      ).toMatch(/only reads/);
      expect(await refusal(() => aql`RETURN "remove" // insert`)).toEqual(["remove"]);
      expect(await refusal(() => aql`RETURN NOPE(1)`)).toMatch(/^KV_BACKEND .*1540/);
    });
  });
}
