import assert from "node:assert/strict";
import type { Store } from "@kv/core";
import { forward } from "@kv/core";
import { collect, contents, fill } from "../../assertions/contents.ts";
import { aClock, atomically } from "../../suite/abilities.ts";
import type { Case } from "../../suite/chapter.ts";
import type { Context } from "../../suite/context.ts";

/** An expired entry among live ones: `gone` is past its deadline, `a` and `z` are not. */
async function withAnExpired(context: Context): Promise<Store> {
  const { store, time } = context;
  await store.set("a", 1);
  await store.set("z", 3, { ttl: time.short * 1000 });
  await store.set("gone", 2, { ttl: time.short, policy: "evict", metadata: { old: true } });
  await time.pass(time.short);
  return store;
}

const absence: readonly Case[] = [
  {
    title: "an entry before its deadline is there, and one past its deadline reads as absent",
    async run({ store, time }) {
      await store.set("k", 1, { ttl: time.short });
      assert.equal(await store.get("k"), 1);
      await time.pass(time.short);
      assert.equal(await store.get("k"), undefined);
      assert.equal(await store.get("k", "fallback"), "fallback");
      assert.deepEqual(await store.getMany(["k"]), [undefined]);
      assert.equal(await store.getEntry("k"), undefined);
      assert.equal(await store.getMetadata("k"), undefined);
      assert.equal(await store.has("k"), false);
    },
  },
  {
    title: "an entry is there until the millisecond before its deadline, and absent from the deadline on",
    requires: aClock,
    async run({ store, time }) {
      await store.set("k", 1, { ttl: 10 });
      await time.pass(9.999);
      assert.equal(await store.get("k"), 1);
      assert.equal(await store.count(), 1);
      await time.pass(0.001);
      assert.equal(await store.get("k"), undefined);
      assert.equal(await store.count(), 0);
    },
  },
  {
    title: "an expired entry is absent for scans, ranges, pages, count and stats",
    async run(context) {
      const store = await withAnExpired(context);
      assert.deepEqual(await contents(store), [
        ["a", 1],
        ["z", 3],
      ]);
      assert.deepEqual(await collect(store.keys({ reverse: true })), ["z", "a"]);
      assert.deepEqual(await collect(store.keys({ limit: 2 })), ["a", "z"]);
      assert.deepEqual(await store.range("gone"), []);
      assert.deepEqual(
        (await store.page({ limit: 2 })).entries.map(({ key }) => key),
        ["a", "z"],
      );
      assert.equal(await store.count(), 2);
      assert.equal(await store.count({ prefix: "g" }), 0);
      const stats = await store.stats();
      assert.deepEqual([stats.keys, stats.expiring, stats.evictable], [2, 1, 0]);
    },
  },
  {
    title: "an expired entry is absent for create, increment, replace, update and take",
    async run(context) {
      const store = await withAnExpired(context);
      const revision = await store.create("gone", "new");
      assert.equal((await store.getMetadata("gone"))?.revision, revision);
      assert.equal((await store.getMetadata("gone"))?.user, undefined);
      const { time } = context;
      await store.set("n", 41, { ttl: time.short, policy: "evict" });
      const old = await store.set("r", 1, { ttl: time.short });
      await store.set("u", 1, { ttl: time.short });
      await store.set("t", 1, { ttl: time.short });
      await time.pass(time.short);
      assert.equal(await store.increment("n"), 1);
      assert.equal((await store.getMetadata("n"))?.policy, "persist");
      assert.equal((await store.getMetadata("n"))?.expiresAt, undefined);
      assert.equal(await store.replace("r", 2, { revision: old }), undefined);
      assert.equal(await store.update("u", (value) => value ?? "absent"), "absent");
      assert.equal(await store.take("t"), undefined);
    },
  },
  {
    title: "an expired entry is absent for delete, deleteMany, clear, clearCache, updateTtl and updatePolicy",
    async run(context) {
      const store = await withAnExpired(context);
      assert.equal(await store.updateTtl("gone", 60), false);
      assert.equal(await store.updateTtl("gone", null), false);
      assert.equal(await store.updatePolicy("gone", "persist"), false);
      assert.equal(await store.clearCache(), 0);
      assert.equal(await store.delete("gone"), false);
      assert.equal(await store.deleteMany(["gone", "a"]), 1);
      assert.equal(await store.has("gone"), false);
      await store.set("gone", 2, { ttl: context.time.short });
      await context.time.pass(context.time.short);
      assert.equal(await store.clear(), 1);
      assert.deepEqual(await contents(store), []);
    },
  },
  {
    title: "an expired entry is absent for checks: null holds, and its revision does not",
    requires: atomically,
    async run({ store, time }) {
      const revision = await store.set("k", 1, { ttl: time.short });
      await time.pass(time.short);
      assert.deepEqual(await store.atomic().check("k", revision).set("l", 1).commit(), {
        ok: false,
        failed: ["k"],
      });
      const result = await store.atomic().check("k", null).set("k", 2).commit();
      assert.equal(result.ok, true);
      assert.equal(await store.get("k"), 2);
      await store.set("t", 5, { ttl: time.short });
      await time.pass(time.short);
      assert.equal(await store.transaction((tx) => tx.get("t")), undefined);
    },
  },
  {
    title: "an entry that replaces an expired one has a history of its own",
    async run({ store, time }) {
      const old = await store.set("k", 1, { ttl: time.short });
      const before = await store.getMetadata("k");
      await time.pass(time.short * 2);
      const revision = await store.set("k", 1);
      const after = await store.getMetadata("k");
      assert.notEqual(revision, old);
      assert.ok(before !== undefined && after !== undefined && after.createdAt > before.createdAt);
    },
  },
  {
    title: "a namespace whose entries have all expired is not listed",
    async run({ store, time }) {
      await store.namespace("brief").set("k", 1, { ttl: time.short });
      await store.namespace("lasting").set("k", 1);
      await time.pass(time.short);
      assert.deepEqual(await store.listNamespaces(), [["lasting"]]);
    },
  },
];

const touching: readonly Case[] = [
  {
    title: "updateTtl sets a new deadline, or none, and tells whether the key existed",
    async run({ store, adapter, abilities }) {
      await store.set("k", 1);
      const now = adapter.clock();
      assert.equal(await store.updateTtl("k", "2h"), true);
      const deadline = (await store.getMetadata("k"))?.expiresAt?.getTime() ?? 0;
      assert.ok(Math.abs(deadline - now - 7_200_000) <= (abilities.clock ? 0 : 1000));
      assert.equal(await store.updateTtl("k", null), true);
      assert.equal((await store.getMetadata("k"))?.expiresAt, undefined);
      assert.equal(await store.updateTtl("absent", 60), false);
      assert.equal(await store.has("absent"), false);
    },
  },
  {
    title: "updateTtl is no write: value, revision, times, policy and user metadata stay",
    async run({ store, time }) {
      await store.set("k", [1], { policy: "evict", metadata: { by: "ada" } });
      const before = await store.getEntry("k");
      await time.pass(time.short);
      await store.updateTtl("k", 3600);
      const { expiresAt, ...rest } = (await store.getMetadata("k")) ?? {};
      assert.ok(expiresAt instanceof Date);
      assert.deepEqual(rest, before?.metadata);
      await store.updateTtl("k", null);
      assert.deepEqual(await store.getEntry("k"), before);
      assert.ok(
        (
          await store
            .atomic()
            .check("k", before?.metadata.revision ?? "")
            .commit()
        ).ok,
      );
    },
  },
  {
    title: "updateTtl makes an entry expire, and keeps one from expiring",
    async run({ store, time }) {
      await fill(store, ["short", "long"]);
      await store.set("long", 1, { ttl: time.short });
      await store.updateTtl("short", time.short);
      await store.updateTtl("long", time.short * 1000);
      await time.pass(time.short);
      assert.deepEqual(await store.getMany(["short", "long"]), [undefined, 1]);
      await store.sweep();
      assert.equal(await store.get("long"), 1);
    },
  },
  {
    title: "updateTtl with what is no duration is KV_INVALID_TTL",
    async run({ store, refused }) {
      await store.set("k", 1);
      for (const ttl of [0, -5, Number.NaN, "60", undefined, true, {}]) {
        await refused("KV_INVALID_TTL", () => store.updateTtl("k", ttl as never), {
          operation: "updateTtl",
          key: "k",
        });
      }
      assert.equal((await store.getMetadata("k"))?.expiresAt, undefined);
    },
  },
];

const sweeping: readonly Case[] = [
  {
    title: "sweep removes what has expired, tells how much that was, and leaves the rest",
    async run(context) {
      const store = await withAnExpired(context);
      await store.namespace("other").set("k", 1, { ttl: context.time.short });
      await context.time.pass(context.time.short);
      assert.equal(await store.sweep(), 2);
      assert.equal(await store.sweep(), 0);
      assert.deepEqual(await contents(store), [
        ["a", 1],
        ["z", 3],
      ]);
    },
  },
  {
    title: "a sweep never removes an entry that was rewritten, or given more time, meanwhile",
    async run({ store, time }) {
      for (const key of ["set", "touched", "forever"]) await store.set(key, 1, { ttl: time.short });
      await store.set("touched", 1, { ttl: time.short });
      await store.updateTtl("touched", time.short * 1000);
      await store.updateTtl("forever", null);
      await time.pass(time.short);
      await store.set("set", 2);
      await store.create("created", 3, { ttl: time.short * 1000 });
      await store.sweep();
      assert.deepEqual(await contents(store), [
        ["created", 3],
        ["forever", 1],
        ["set", 2],
        ["touched", 1],
      ]);
    },
  },
  {
    title: "a sweep among writes of the same keys removes none of them",
    async run({ store, time }) {
      const keys = Array.from({ length: 200 }, (_, position) => `k${position}`);
      await store.setMany(
        keys.map((key) => [key, "old"]),
        { ttl: time.short },
      );
      await time.pass(time.short);
      const swept = [store.sweep()];
      const writes = keys.map((key) => store.set(key, "new"));
      swept.push(store.sweep());
      await Promise.all([...writes, ...swept]);
      swept.push(store.sweep());
      await Promise.all(swept);
      assert.deepEqual(
        await store.getMany(keys),
        keys.map(() => "new"),
      );
    },
  },
  {
    title: "a deadline that was moved away is not swept at the old one",
    async run({ store, time }) {
      await store.set("k", 1, { ttl: time.short });
      await store.set("k", 2, { ttl: time.short * 1000 });
      await time.pass(time.short * 2);
      await store.sweep();
      assert.equal(await store.get("k"), 2);
    },
  },
  {
    title: "expired entries are swept without anyone asking, every sweepInterval",
    async run({ open }) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const { store } = open({ sweepInterval: 0.01 }, (inner) => {
        const sweeping = forward(inner, {
          sweep: () => {
            resolve();
            return inner.sweep();
          },
        });
        return sweeping;
      });
      await store.set("k", 1);
      await promise;
    },
  },
];

export const expiry: readonly Case[] = [...absence, ...touching, ...sweeping];
