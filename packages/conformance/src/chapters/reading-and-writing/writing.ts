import assert from "node:assert/strict";
import type { SetTuple } from "@kv/core";
import { contents, fill } from "../../assertions/contents.ts";
import type { Case } from "../../suite/chapter.ts";

export const writing: readonly Case[] = [
  {
    title: "set replaces value, user metadata, policy and TTL as a whole",
    async run({ store }) {
      await store.set("k", { a: 1, b: 2 }, { ttl: 3600, policy: "evict", metadata: { by: "ada" } });
      await store.set("k", { c: 3 });
      const entry = await store.getEntry("k");
      assert.deepEqual(entry?.value, { c: 3 });
      assert.equal(entry?.metadata.policy, "persist");
      assert.equal(entry?.metadata.user, undefined);
      assert.equal(entry?.metadata.expiresAt, undefined);
    },
  },
  {
    title: "user metadata is kept beside the value, and an empty one is one",
    async run({ store }) {
      const metadata = { by: "ada", nested: { list: [1, null, "é\0"] }, "": false };
      await store.set("k", 1, { metadata });
      assert.deepEqual((await store.getMetadata("k"))?.user, metadata);
      await store.set("k", 1, { metadata: {} });
      assert.deepEqual((await store.getMetadata("k"))?.user, {});
    },
  },
  {
    title: "setMany resolves to the revisions, in the order of its tuples",
    async run({ store }) {
      const revisions = await store.setMany([
        ["a", 1],
        ["b", 2],
        ["c", 3],
      ]);
      assert.equal(revisions.length, 3);
      for (const [position, key] of ["a", "b", "c"].entries()) {
        assert.equal((await store.getMetadata(key))?.revision, revisions[position]);
      }
    },
  },
  {
    title: "setMany takes an array, a Map and any iterable",
    async run({ store }) {
      await store.setMany([["a", 1]]);
      await store.setMany(
        new Map([
          ["b", 2],
          ["c", 3],
        ]),
      );
      function* tuples(): Generator<SetTuple<unknown>> {
        yield ["d", 4];
        yield ["e", 5, undefined];
      }
      await store.setMany(tuples());
      await store.setMany(Object.entries({ f: 6 }));
      assert.deepEqual(
        await contents(store),
        ["a", "b", "c", "d", "e", "f"].map((key, position) => [key, position + 1]),
      );
    },
  },
  {
    title: "an entry's own options in setMany go over the common ones, one by one",
    async run({ store }) {
      const common = { policy: "evict", metadata: { common: true }, ttl: 3600 } as const;
      await store.setMany(
        [
          ["a", 1],
          ["b", 2, { policy: "persist" }],
          ["c", 3, { metadata: { own: true } }],
          ["d", 4, { ttl: null }],
          ["e", 5, { policy: undefined }],
        ],
        common,
      );
      const seen = await Promise.all(["a", "b", "c", "d", "e"].map((key) => store.getMetadata(key)));
      assert.deepEqual(
        seen.map((metadata) => metadata?.policy),
        ["evict", "persist", "evict", "evict", "evict"],
      );
      assert.deepEqual(
        seen.map((metadata) => metadata?.user),
        [{ common: true }, { common: true }, { own: true }, { common: true }, { common: true }],
      );
      assert.deepEqual(
        seen.map((metadata) => metadata?.expiresAt !== undefined),
        [true, true, true, false, true],
      );
    },
  },
  {
    title: "an entry's own deadline in setMany goes over a common TTL",
    async run({ store, adapter }) {
      const deadline = adapter.clock() + 7_200_000;
      await store.setMany(
        [
          ["a", 1, { expiresAt: deadline }],
          ["b", 2],
        ],
        { ttl: 3600 },
      );
      assert.equal((await store.getMetadata("a"))?.expiresAt?.getTime(), deadline);
      assert.notEqual((await store.getMetadata("b"))?.expiresAt?.getTime(), deadline);
    },
  },
  {
    title: "of one key twice in setMany the last one stays, and each has a revision",
    async run({ store }) {
      const revisions = await store.setMany([
        ["k", 1],
        ["j", 0],
        ["k", 2],
      ]);
      assert.equal(new Set(revisions).size, 3);
      assert.equal(await store.get("k"), 2);
      assert.equal((await store.getMetadata("k"))?.revision, revisions[2]);
    },
  },
  {
    title: "setMany of two thousand entries writes every one",
    async run({ store }) {
      const keys = Array.from({ length: 2000 }, (_, position) => `k${String(position).padStart(4, "0")}`);
      await fill(store, keys);
      assert.deepEqual(
        await contents(store),
        keys.map((key, position) => [key, position]),
      );
    },
  },
  {
    title: "delete tells whether the key existed, and deleteMany how many did",
    async run({ store }) {
      await fill(store, ["a", "b", "c", "d"]);
      assert.equal(await store.delete("a"), true);
      assert.equal(await store.delete("a"), false);
      assert.equal(await store.deleteMany(["a", "b", "x", "c"]), 2);
      assert.equal(await store.deleteMany(new Set(["d"])), 1);
      assert.deepEqual(await contents(store), []);
    },
  },
  {
    title: "deleteMany counts a key that is named twice once",
    async run({ store }) {
      await fill(store, ["a", "b"]);
      assert.equal(await store.deleteMany(["a", "a", "b"]), 2);
    },
  },
  {
    title: "empty batches are no-ops that succeed",
    async run({ store }) {
      await store.set("k", 1);
      assert.deepEqual(await store.getMany([]), []);
      assert.deepEqual(await store.setMany([]), []);
      assert.equal(await store.deleteMany([]), 0);
      const result = await store.atomic().commit();
      assert.ok(result.ok);
      assert.equal(result.revisions.size, 0);
      assert.deepEqual(await contents(store), [["k", 1]]);
    },
  },
  {
    title: "take reads and deletes in one step",
    async run({ store }) {
      await store.set("k", { a: 1 });
      assert.deepEqual(await store.take("k"), { a: 1 });
      assert.equal(await store.has("k"), false);
      assert.equal(await store.take("k"), undefined);
    },
  },
];
