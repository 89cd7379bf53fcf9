import assert from "node:assert/strict";
import { contents, fill } from "../assertions/contents.ts";
import type { Chapter } from "../suite/chapter.ts";

export const evictionPolicy: Chapter = {
  title: "eviction policy",
  cases: [
    {
      title: "the policy is persist unless evict was asked for",
      async run({ store }) {
        await store.set("a", 1);
        await store.set("b", 1, { policy: "evict" });
        await store.set("c", 1, { policy: "persist" });
        await store.create("d", 1);
        await store.increment("e");
        const policies = await Promise.all(
          ["a", "b", "c", "d", "e"].map(async (key) => (await store.getMetadata(key))?.policy),
        );
        assert.deepEqual(policies, ["persist", "evict", "persist", "persist", "persist"]);
      },
    },
    {
      title: "setCache is set with the policy evict",
      async run({ store, adapter }) {
        const expiresAt = new Date(adapter.clock() + 3_600_000);
        const revision = await store.setCache("k", { a: 1 }, { expiresAt, metadata: { by: "ada" } });
        const entry = await store.getEntry("k");
        assert.deepEqual(entry?.value, { a: 1 });
        assert.equal(entry?.metadata.policy, "evict");
        assert.equal(entry?.metadata.revision, revision);
        assert.deepEqual(entry?.metadata.expiresAt, expiresAt);
        assert.deepEqual(entry?.metadata.user, { by: "ada" });
      },
    },
    {
      title: "setCache with a policy is KV_INVALID_OPTION",
      async run({ store, refused }) {
        for (const policy of ["persist", "evict"]) {
          await refused("KV_INVALID_OPTION", () => store.setCache("k", 1, { policy } as never), {
            operation: "setCache",
            says: "policy",
          });
        }
        assert.equal(await store.has("k"), false);
      },
    },
    {
      title: "policy and deadline are independent of one another",
      async run({ store, time }) {
        await store.set("both", 1, { policy: "evict", ttl: time.short });
        await store.set("evict", 1, { policy: "evict" });
        await store.set("ttl", 1, { ttl: time.short });
        assert.equal((await store.getMetadata("ttl"))?.policy, "persist");
        assert.equal((await store.getMetadata("evict"))?.expiresAt, undefined);
        await time.pass(time.short);
        assert.deepEqual(await contents(store), [["evict", 1]]);
      },
    },
    {
      title: "clearCache removes the evictable entries and no others, and tells how many",
      async run({ store }) {
        await fill(store, ["a", "c", "e"]);
        await store.setMany(
          [
            ["b", 1],
            ["d", 1],
            ["f", 1],
          ],
          { policy: "evict" },
        );
        await store.set("d", 2);
        assert.equal(await store.clearCache(), 2);
        assert.deepEqual(
          (await contents(store)).map(([key]) => key),
          ["a", "c", "d", "e"],
        );
        assert.equal(await store.clearCache(), 0);
      },
    },
    {
      title: "clearCache removes of this namespace and scope only",
      async run({ store }) {
        const views = [
          store.scope("a"),
          store.scope("ab"),
          store.namespace("n"),
          store.namespace("n", "m"),
          store,
        ];
        for (const view of views) await view.setCache("k", 1);
        assert.equal(await store.scope("a").clearCache(), 1);
        assert.deepEqual(await Promise.all(views.map((view) => view.has("k"))), [
          false,
          true,
          true,
          true,
          true,
        ]);
        assert.equal(await store.namespace("n").clearCache(), 1);
        assert.deepEqual(await Promise.all(views.map((view) => view.has("k"))), [
          false,
          true,
          false,
          true,
          true,
        ]);
        assert.equal(await store.clearCache(), 2);
        assert.deepEqual(await Promise.all(views.map((view) => view.has("k"))), [
          false,
          false,
          false,
          true,
          false,
        ]);
      },
    },
    {
      title: "updatePolicy changes the policy and nothing else, and tells whether the key existed",
      async run({ store, time }) {
        await store.set("k", 1, { ttl: 36_000, metadata: { by: "ada" } });
        const before = await store.getEntry("k");
        await time.pass(time.short);
        assert.equal(await store.updatePolicy("k", "evict"), true);
        assert.deepEqual(await store.getEntry("k"), {
          ...before,
          metadata: { ...before?.metadata, policy: "evict" },
        });
        assert.equal(await store.clearCache(), 1);
        assert.equal(await store.updatePolicy("k", "persist"), false);
        assert.equal(await store.has("k"), false);
      },
    },
    {
      title: "updatePolicy to persist keeps an entry from clearCache",
      async run({ store }) {
        await store.setCache("k", 1);
        await store.updatePolicy("k", "persist");
        assert.equal(await store.clearCache(), 0);
        assert.equal(await store.get("k"), 1);
      },
    },
    {
      title: "updatePolicy to what is no policy is KV_INVALID_OPTION",
      async run({ store, refused }) {
        await store.set("k", 1);
        for (const policy of ["cache", "", undefined, null, 1]) {
          await refused("KV_INVALID_OPTION", () => store.updatePolicy("k", policy as never), {
            operation: "updatePolicy",
            key: "k",
          });
        }
        assert.equal((await store.getMetadata("k"))?.policy, "persist");
      },
    },
    {
      title: "stats counts keys, expiring and evictable ones of this view",
      async run({ store }) {
        const outside = store.namespace("n");
        await outside.setCache("k", 1, { ttl: 3600 });
        const scoped = store.scope("s");
        await scoped.setMany([
          ["a", 1],
          ["b", 1, { ttl: 3600 }],
          ["c", 1, { policy: "evict" }],
          ["d", 1, { ttl: 3600, policy: "evict" }],
        ]);
        await store.set("e", 1);
        const inner = await scoped.stats();
        assert.deepEqual([inner.keys, inner.expiring, inner.evictable], [4, 2, 2]);
        const outer = await store.stats();
        assert.deepEqual([outer.keys, outer.expiring, outer.evictable], [5, 2, 2]);
        if (outer.bytes !== undefined) assert.ok(outer.bytes > 0);
        for (const fact of Object.values(outer.backend))
          assert.ok(["string", "number"].includes(typeof fact));
      },
    },
  ],
};
