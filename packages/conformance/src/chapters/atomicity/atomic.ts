import assert from "node:assert/strict";
import { refusedAcrossPartitions } from "../../assertions/across-partitions.ts";
import { contents, fill } from "../../assertions/contents.ts";
import { NASTY_KEYS } from "../../samples/nasty-keys.ts";
import { atomically } from "../../suite/abilities.ts";
import type { Case } from "../../suite/chapter.ts";

export const atomic: readonly Case[] = [
  {
    title:
      "a commit applies all its mutations, and maps each key that was set or incremented to its new revision",
    requires: atomically,
    whenMissing: refusedAcrossPartitions,
    async run({ store }) {
      await store.setMany([
        ["gone", 1],
        ["n", 5],
      ]);
      const result = await store
        .atomic()
        .set("a", { x: 1 })
        .delete("gone")
        .increment("n", 2)
        .increment("m")
        .set("b", null)
        .commit();
      assert.ok(result.ok);
      assert.ok(result.revisions instanceof Map);
      assert.deepEqual([...result.revisions.keys()].sort(), ["a", "b", "m", "n"]);
      for (const [key, revision] of result.revisions) {
        assert.equal((await store.getMetadata(key))?.revision, revision, key);
      }
      assert.deepEqual(await contents(store), [
        ["a", { x: 1 }],
        ["b", null],
        ["m", 1],
        ["n", 7],
      ]);
    },
  },
  {
    title: "checks hold on revisions, and null checks absence",
    requires: atomically,
    async run({ store }) {
      const revision = await store.set("k", 1);
      assert.equal(
        (await store.atomic().check("k", revision).check("absent", null).set("l", 1).commit()).ok,
        true,
      );
      assert.deepEqual(await store.atomic().check("k", null).set("l", 2).commit(), {
        ok: false,
        failed: ["k"],
      });
      assert.deepEqual(await store.atomic().check("absent", revision).set("l", 2).commit(), {
        ok: false,
        failed: ["absent"],
      });
      assert.equal(await store.get("l"), 1);
    },
  },
  {
    title: "failed lists the keys whose check did not hold, each once, and nothing is written",
    requires: atomically,
    async run({ store }) {
      const stale = await store.set("changed", 1);
      await store.set("changed", 2);
      const held = await store.set("held", 1);
      const before = await contents(store);
      const result = await store
        .atomic()
        .check("held", held)
        .check("changed", stale)
        .check("absent", "some revision")
        .check("changed", null)
        .check("also absent", null)
        .set("held", 9)
        .set("new", 9)
        .delete("changed")
        .increment("n")
        .commit();
      assert.ok(!result.ok);
      assert.deepEqual([...result.failed].sort(), ["absent", "changed"]);
      assert.deepEqual(await contents(store), before);
    },
  },
  {
    title: "checks see the state before, whatever the commit itself writes and wherever they stand in it",
    requires: atomically,
    async run({ store }) {
      const revision = await store.set("k", 1);
      assert.equal(
        (await store.atomic().set("k", 2).check("k", revision).set("new", 1).check("new", null).commit()).ok,
        true,
      );
      const result = await store.atomic().delete("k").check("k", null).commit();
      assert.deepEqual(result, { ok: false, failed: ["k"] });
      assert.equal(await store.get("k"), 2);
    },
  },
  {
    title: "a check alone tells whether it holds, and writes nothing",
    async run({ store }) {
      const revision = await store.set("k", 1);
      const before = await store.getEntry("k");
      const result = await store.atomic().check("k", revision).commit();
      assert.ok(result.ok);
      assert.equal(result.revisions.size, 0);
      assert.equal((await store.atomic().check("k", "other").commit()).ok, false);
      assert.deepEqual(await store.getEntry("k"), before);
    },
  },
  {
    title: "several mutations of one key apply in call order",
    requires: atomically,
    async run({ store }) {
      await store.set("d", 1);
      const result = await store
        .atomic()
        .set("a", 1)
        .set("a", 2)
        .set("b", 10)
        .increment("b")
        .increment("b", 5)
        .set("c", 1)
        .delete("c")
        .delete("d")
        .increment("d", 3)
        .delete("e")
        .set("e", "back")
        .increment("f")
        .delete("f")
        .increment("f", 7)
        .commit();
      assert.ok(result.ok);
      assert.deepEqual(await contents(store), [
        ["a", 2],
        ["b", 16],
        ["d", 3],
        ["e", "back"],
        ["f", 7],
      ]);
      for (const key of ["a", "b", "d", "e", "f"]) {
        assert.equal(result.revisions.get(key), (await store.getMetadata(key))?.revision, key);
      }
      assert.equal(result.revisions.has("c"), false);
    },
  },
  {
    title: "a delete within a commit begins a new entry: nothing of the old one is kept",
    requires: ({ clock }) => (clock ? undefined : "its clock cannot be set"),
    async run({ store, time }) {
      await store.set("k", 1, { ttl: 3600, policy: "evict", metadata: { old: true } });
      await time.pass(1);
      await store.atomic().delete("k").increment("k").commit();
      const metadata = await store.getMetadata("k");
      assert.equal(metadata?.expiresAt, undefined);
      assert.equal(metadata?.policy, "persist");
      assert.equal(metadata?.user, undefined);
      assert.deepEqual(metadata?.createdAt, metadata?.updatedAt);
    },
  },
  {
    title: "the options of a set and an increment in a commit are those of set and increment",
    requires: atomically,
    async run({ store, adapter }) {
      const expiresAt = new Date(adapter.clock() + 3_600_000);
      const options = { expiresAt, policy: "evict", metadata: { by: "ada" } } as const;
      await store.atomic().set("s", 1, options).increment("n", 1, options).commit();
      for (const key of ["s", "n"]) {
        const metadata = await store.getMetadata(key);
        assert.deepEqual(
          [metadata?.expiresAt, metadata?.policy, metadata?.user],
          [expiresAt, "evict", { by: "ada" }],
          key,
        );
      }
    },
  },
  {
    title: "an increment of what is no number refuses the whole commit, nothing written",
    requires: atomically,
    async run({ store, refused }) {
      await store.setMany([
        ["text", "5"],
        ["n", 1],
      ]);
      const before = await contents(store);
      await refused(
        "KV_INVALID_VALUE",
        () => store.atomic().set("a", 1).increment("n").increment("text").delete("n").commit(),
        { key: "text" },
      );
      await refused("KV_INVALID_VALUE", () => store.atomic().set("s", "x").increment("s").commit(), {
        key: "s",
      });
      await refused(
        "KV_INVALID_VALUE",
        () =>
          store
            .atomic()
            .set("a", 1)
            .set("big", 2 ** 53 - 1)
            .increment("big")
            .commit(),
        { key: "big" },
      );
      assert.deepEqual(await contents(store), before);
    },
  },
  {
    title: "whatever a commit refuses it refuses at commit, as a rejected promise, nothing written",
    async run({ store, refused }) {
      const bad = [
        () => store.atomic().set("a", 1).set("", 1),
        () =>
          store
            .atomic()
            .set("a", 1)
            .delete(1 as never),
        () => store.atomic().set("a", 1).check("\ud800", null),
        () => store.atomic().increment("", 1).set("a", 1),
        () => store.atomic().set("a", 1).set("b", undefined),
        () => store.atomic().set("a", 1).set("b", 1, { ttl: 0 }),
        () =>
          store
            .atomic()
            .set("a", 1)
            .set("b", 1, { tll: 1 } as never),
        () => store.atomic().set("a", 1).increment("b", Number.NaN),
        () =>
          store
            .atomic()
            .set("a", 1)
            .check("b", 5 as never),
        () =>
          store
            .atomic()
            .set("a", 1)
            .check("b", undefined as never),
      ];
      for (const make of bad) {
        const commit = make();
        await assert.rejects(() => commit.commit(), { name: "KvError", code: /^KV_INVALID_/ });
      }
      await refused("KV_INVALID_OPTION", () =>
        store
          .atomic()
          .set("a", 1)
          .commit({ sginal: 1 } as never),
      );
      assert.deepEqual(await contents(store), []);
    },
  },
  {
    title: "a commit is made once: a second commit() is KV_INVALID_OPTION and writes nothing",
    async run({ store, refused }) {
      const commit = store.atomic().increment("n");
      await commit.commit();
      await refused("KV_INVALID_OPTION", () => commit.commit());
      assert.equal(await store.get("n"), 1);
    },
  },
  {
    title: "a commit that was never made writes nothing",
    async run({ store }) {
      store.atomic().set("a", 1).increment("n");
      assert.deepEqual(await contents(store), []);
    },
  },
  {
    title: "a commit of many keys, any nasty ones, is one commit",
    requires: atomically,
    async run({ store }) {
      const commit = store.atomic();
      for (const [position, key] of NASTY_KEYS.entries()) commit.check(key, null).set(key, position);
      for (let position = 0; position < 500; position++) commit.set(`many ${position}`, position);
      const result = await commit.commit();
      assert.ok(result.ok);
      assert.equal(result.revisions.size, NASTY_KEYS.length + 500);
      assert.deepEqual(await store.getMany(NASTY_KEYS), [...NASTY_KEYS.keys()]);
      assert.equal(await store.count(), NASTY_KEYS.length + 500);
    },
  },
  {
    title: "a commit is within one namespace",
    async run({ store }) {
      const inside = store.namespace("n");
      await fill(store, ["k"]);
      await inside.set("k", "inside");
      const { revision } = (await store.getMetadata("k")) ?? { revision: "" };
      assert.equal((await inside.atomic().check("k", revision).delete("k").commit()).ok, false);
      const own = (await inside.getMetadata("k"))?.revision ?? "";
      assert.equal((await inside.atomic().check("k", own).delete("k").commit()).ok, true);
      assert.deepEqual(await contents(store), [["k", 0]]);
    },
  },
];
