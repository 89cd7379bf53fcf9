import assert from "node:assert/strict";
import { fill } from "../../assertions/contents.ts";
import type { Case } from "../../suite/chapter.ts";

export const reading: readonly Case[] = [
  {
    title: "get gives the fallback where the key is absent, and only there",
    async run({ store }) {
      await store.set("k", "value");
      const fallback = { a: "fallback" };
      assert.equal(await store.get("k", fallback), "value");
      assert.equal(await store.get("absent", fallback), fallback);
      assert.equal(await store.get("absent", null), null);
      assert.equal(await store.get("absent", undefined), undefined);
      assert.equal(await store.has("absent"), false);
    },
  },
  {
    title: "getOrThrow gives the value, or rejects with KV_NOT_FOUND naming the key",
    async run({ store, refused }) {
      await store.set("k", 1);
      assert.equal(await store.getOrThrow("k"), 1);
      await refused("KV_NOT_FOUND", () => store.getOrThrow("absent"), {
        operation: "getOrThrow",
        key: "absent",
      });
    },
  },
  {
    title: "getMany is aligned with its keys, absent ones and repeated ones included",
    async run({ store }) {
      await fill(store, ["a", "b", "c"]);
      assert.deepEqual(await store.getMany(["c", "x", "a", "c", "y", "a"]), [
        2,
        undefined,
        0,
        2,
        undefined,
        0,
      ]);
      assert.deepEqual(await store.getMany(["x"]), [undefined]);
    },
  },
  {
    title: "getMany takes any iterable and reads it once",
    async run({ store }) {
      await fill(store, ["a", "b"]);
      let started = 0;
      function* some(): Generator<string> {
        started += 1;
        yield "b";
        yield "a";
      }
      assert.deepEqual(await store.getMany(some()), [1, 0]);
      assert.equal(started, 1);
      assert.deepEqual(await store.getMany(new Set(["a", "z"])), [0, undefined]);
    },
  },
  {
    title: "getMany of a thousand keys answers for every one",
    async run({ store }) {
      const keys = Array.from({ length: 1000 }, (_, position) => `k${position}`);
      await fill(store, keys);
      assert.deepEqual(await store.getMany(keys.toReversed()), [...keys.keys()].reverse());
    },
  },
  {
    title: "getEntry gives key, value and metadata, and nothing else",
    async run({ store }) {
      const revision = await store.set("k", [1], { metadata: { by: "ada" } });
      const entry = await store.getEntry("k");
      assert.deepEqual(Object.keys(entry ?? {}).sort(), ["key", "metadata", "value"]);
      assert.equal(entry?.key, "k");
      assert.deepEqual(entry?.value, [1]);
      assert.equal(entry?.metadata.revision, revision);
      assert.deepEqual(entry?.metadata, await store.getMetadata("k"));
    },
  },
  {
    title: "has tells whether the key exists",
    async run({ store }) {
      assert.equal(await store.has("k"), false);
      await store.set("k", 1);
      assert.equal(await store.has("k"), true);
      await store.delete("k");
      assert.equal(await store.has("k"), false);
    },
  },
  {
    title: "N calls in one tick give what one call with N keys gives",
    async run({ store }) {
      const keys = Array.from({ length: 300 }, (_, position) => `k${position}`);
      const revisions = await Promise.all(keys.map((key, position) => store.set(key, position)));
      assert.equal(new Set(revisions).size, keys.length);
      assert.deepEqual(await Promise.all(keys.map((key) => store.get(key))), await store.getMany(keys));
      assert.deepEqual(
        await Promise.all(keys.map((key) => store.delete(key))),
        keys.map(() => true),
      );
      assert.equal(await store.count(), 0);
    },
  },
];

export const metadata: readonly Case[] = [
  {
    title: "metadata has revision, createdAt, updatedAt and policy, and of the rest only what there is",
    async run({ store }) {
      await store.set("k", 1);
      const metadata = await store.getMetadata("k");
      assert.ok(metadata !== undefined);
      assert.equal(typeof metadata.revision, "string");
      assert.ok(metadata.revision.length > 0);
      assert.ok(metadata.createdAt instanceof Date && !Number.isNaN(metadata.createdAt.getTime()));
      assert.ok(metadata.updatedAt instanceof Date && !Number.isNaN(metadata.updatedAt.getTime()));
      assert.equal(metadata.policy, "persist");
      assert.equal("expiresAt" in metadata, false);
      assert.equal("user" in metadata, false);
      if ("size" in metadata) assert.ok(Number.isInteger(metadata.size) && Number(metadata.size) >= 0);
    },
  },
  {
    title: "createdAt stays, and updatedAt follows every write",
    async run({ store, time, adapter }) {
      const before = adapter.clock();
      await store.set("k", 1);
      const first = await store.getMetadata("k");
      await time.pass(time.short);
      await store.set("k", 2);
      const second = await store.getMetadata("k");
      assert.ok(first !== undefined && second !== undefined);
      assert.ok(
        first.createdAt.getTime() >= before - 2000 && first.createdAt.getTime() <= adapter.clock() + 2000,
      );
      assert.deepEqual(first.updatedAt, first.createdAt);
      assert.deepEqual(second.createdAt, first.createdAt);
      assert.ok(second.updatedAt.getTime() >= first.updatedAt.getTime() + time.short * 1000);
      await time.pass(time.short);
      await store.set("n", 1);
      await time.pass(time.short);
      await store.increment("n");
      const counted = await store.getMetadata("n");
      assert.ok(counted !== undefined && counted.updatedAt > counted.createdAt);
    },
  },
  {
    title: "a key that was deleted and written again is a new one",
    async run({ store, time }) {
      const old = await store.set("k", 1);
      const before = await store.getMetadata("k");
      await time.pass(time.short);
      await store.delete("k");
      const revision = await store.set("k", 1);
      const after = await store.getMetadata("k");
      assert.ok(before !== undefined && after !== undefined);
      assert.notEqual(revision, old);
      assert.ok(after.createdAt > before.createdAt);
    },
  },
  {
    title: "the revision differs after every write of the key, of an equal value, too",
    async run({ store }) {
      const revisions: (string | undefined)[] = [];
      for (let round = 0; round < 3; round++) {
        revisions.push(await store.set("k", 1));
        revisions.push(...(await store.setMany([["k", 1]])));
        await store.update("k", (value) => value);
        revisions.push((await store.getMetadata("k"))?.revision);
        await store.set("k", 1);
        await store.increment("k", 0);
        revisions.push((await store.getMetadata("k"))?.revision);
        await store.delete("k");
        revisions.push(await store.create("k", 1));
      }
      assert.ok(revisions.every((revision) => typeof revision === "string" && revision !== ""));
      assert.equal(new Set(revisions).size, revisions.length);
    },
  },
  {
    title: "set resolves to the revision that the entry then has",
    async run({ store }) {
      for (const value of [1, 1, "two"]) {
        const revision = await store.set("k", value);
        assert.equal((await store.getMetadata("k"))?.revision, revision);
      }
    },
  },
  {
    title: "reading never changes metadata",
    async run({ store, time }) {
      await store.set("k", 1, { metadata: { a: 1 } });
      const before = await store.getMetadata("k");
      await time.pass(time.short);
      await store.get("k");
      await store.getMany(["k", "k"]);
      await store.has("k");
      await store.range("");
      await store.page();
      await store.count();
      await store.stats();
      await store
        .atomic()
        .check("k", before?.revision ?? "")
        .commit();
      assert.deepEqual(await store.getMetadata("k"), before);
    },
  },
  {
    title: "entries carry the metadata that getMetadata gives",
    async run({ store }) {
      await store.set("a", 1, { ttl: 3600, policy: "evict", metadata: { by: "ada", tags: ["x"], n: null } });
      await store.set("b", 2);
      for await (const entry of store.entries())
        assert.deepEqual(entry.metadata, await store.getMetadata(entry.key));
      for (const entry of (await store.page()).entries) {
        assert.deepEqual(entry.metadata, await store.getMetadata(entry.key));
      }
      assert.deepEqual((await store.getMetadata("a"))?.user, { by: "ada", tags: ["x"], n: null });
    },
  },
];
