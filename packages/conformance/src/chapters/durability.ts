import assert from "node:assert/strict";
import { contents, fill } from "../assertions/contents.ts";
import { lastStates, watched } from "../assertions/watched.ts";
import { samplesIn } from "../samples/json-samples.ts";
import { NASTY_KEYS } from "../samples/nasty-keys.ts";
import type { Abilities } from "../suite/abilities.ts";
import type { Case, Chapter } from "../suite/chapter.ts";

function persistence({ capabilities }: Abilities): string | undefined {
  return capabilities.persistent ? undefined : "its data do not survive the process";
}

function sharing({ capabilities, reopen }: Abilities): string | undefined {
  if (!capabilities.shared) return "several processes cannot share its data";
  return reopen ? undefined : "the harness gives no second adapter over the same data";
}

function restoring({ capabilities, backup }: Abilities): string | undefined {
  if (!capabilities.persistent) return "its data do not survive the process";
  return backup ? undefined : "the harness copies no data";
}

const restarts: readonly Case[] = [
  {
    title: "what was written is there after a restart: every key, value and all metadata",
    requires: persistence,
    async run({ root, store, reopen, adapter, abilities }) {
      await fill(store, NASTY_KEYS);
      await store.setMany(
        samplesIn(abilities.codec).map((sample, position) => [`sample ${position}`, sample]),
      );
      await store.set("bytes", new Uint8Array([0, 255, 128]));
      await store.set("all", 1, {
        expiresAt: adapter.clock() + 3_600_000,
        policy: "evict",
        metadata: { by: "ada" },
      });
      await store.namespace("n", "m").set("k", "inner");
      const before = {
        all: await contents(store),
        metadata: await store.getMetadata("all"),
        namespaces: await store.listNamespaces(),
      };
      await root.close();
      const later = (await reopen()).store;
      assert.deepEqual(await contents(later), before.all);
      assert.deepEqual(await later.getMetadata("all"), before.metadata);
      assert.deepEqual(await later.listNamespaces(), before.namespaces);
      assert.equal(await later.namespace("n", "m").get("k"), "inner");
    },
  },
  {
    title: "revisions stay as they were over a restart, and new ones differ from all before",
    requires: persistence,
    async run({ root, store, reopen }) {
      const revisions: (string | undefined)[] = [];
      for (let round = 0; round < 5; round++) revisions.push(await store.set("k", round));
      await store.delete("k");
      revisions.push(await store.set("k", "last"));
      await root.close();
      const later = (await reopen()).store;
      assert.equal((await later.getMetadata("k"))?.revision, revisions.at(-1));
      const replaced = await later.replace("k", "new", { revision: revisions.at(-1) ?? "" });
      revisions.push(replaced, await later.set("k", 1), await later.set("k", 2));
      assert.ok(revisions.every((revision) => typeof revision === "string"));
      assert.equal(new Set(revisions).size, revisions.length);
    },
  },
  {
    title: "a revision that a restore has lost is not given out again, and matches nothing",
    requires: restoring,
    async run({ root, store, reopen, backup }) {
      const kept = await store.set("k", "kept");
      await root.close();
      const restore = await backup();
      const future = await reopen();
      const lost: string[] = [];
      for (let i = 0; i < 5; i++)
        lost.push(await future.store.set("k", `lost ${i}`), await future.store.set("other", i));
      await future.root.close();
      await restore();
      const { store: later } = await reopen();
      assert.equal((await later.getMetadata("k"))?.revision, kept);
      const given: string[] = [];
      for (let i = 0; i < 5; i++) given.push(await later.set("other", i), await later.set("k", `after ${i}`));
      assert.deepEqual(
        given.filter((revision) => lost.includes(revision)),
        [],
      );
      for (const revision of lost) {
        assert.equal(await later.replace("k", "never seen", { revision }), undefined);
        assert.equal(await later.delete("other", { revision }), false);
        assert.equal((await later.atomic().check("k", revision).set("k", "never seen").commit()).ok, false);
      }
      assert.equal(await later.get("k"), "after 4");
      assert.equal(await later.get("other"), 4);
    },
  },
  {
    title: "what was deleted, cleared or had expired stays away after a restart",
    requires: persistence,
    async run({ root, store, reopen, time }) {
      await fill(store, ["deleted", "kept"]);
      await store.set("expired", 1, { ttl: time.short });
      await store.set("cached", 1, { policy: "evict" });
      await store.delete("deleted");
      await store.clearCache();
      await time.pass(time.short);
      await root.close();
      const later = (await reopen()).store;
      assert.deepEqual(await contents(later), [["kept", 1]]);
      assert.equal((await later.stats()).keys, 1);
      await later.sweep();
      assert.deepEqual(await contents(later), [["kept", 1]]);
    },
  },
  {
    title: "an adapter that keeps nothing says so: another one over the same data finds none",
    requires: ({ capabilities, reopen }) =>
      !capabilities.persistent && reopen
        ? undefined
        : capabilities.persistent
          ? "it is persistent"
          : "the harness gives no second adapter over the same data",
    async run({ root, store, reopen }) {
      await store.set("k", 1);
      await root.close();
      assert.deepEqual(await contents((await reopen()).store), []);
    },
  },
];

const sharingCases: readonly Case[] = [
  {
    title: "two adapters over the same data see each other's writes",
    requires: sharing,
    async run({ store, reopen }) {
      await store.set("k", 1);
      const other = (await reopen()).store;
      assert.equal(await other.get("k"), 1);
      await other.set("k", { by: "other" });
      assert.deepEqual(await store.get("k"), { by: "other" });
      assert.equal(await store.create("k", 2), undefined);
      await other.delete("k");
      assert.equal(await store.has("k"), false);
      await other.namespace("n").set("k", 1);
      assert.deepEqual(await store.listNamespaces(), [["n"]]);
    },
  },
  {
    title: "a namespace that one adapter emptied and swept is written and read by others that know it",
    requires: sharing,
    async run({ root, store, reopen }) {
      const other = await reopen();
      for (let round = 0; round < 3; round++) {
        const [mine, theirs] = [store.namespace("n"), other.store.namespace("n")];
        await mine.set("k", round);
        assert.equal(await theirs.take("k"), round);
        await other.root.sweep();
        await other.store.namespace("stranger", String(round)).set("k", "strange");
        await mine.set("k", "mine");
        assert.equal(await theirs.get("k"), "mine");
        assert.equal(await theirs.delete("k"), true);
        await root.sweep();
        await mine.setMany([["k", "again"]]);
        await theirs.increment("l");
        assert.deepEqual(await contents(mine), [
          ["k", "again"],
          ["l", 1],
        ]);
        assert.equal(await theirs.clear(), 2);
        await other.root.sweep();
        await theirs.set("m", 1);
        assert.deepEqual(await contents(mine), [["m", 1]]);
        assert.equal(await mine.clear(), 1);
      }
    },
  },
  {
    title: "increments, creates and takes through two adapters add up and have one winner",
    requires: sharing,
    async run({ store, reopen }) {
      const stores = [store, (await reopen()).store];
      await store.set("taken", "prize");
      const each = async (at: (one: typeof store) => Promise<unknown>): Promise<unknown[]> =>
        Promise.all(stores.flatMap((one) => Array.from({ length: 20 }, () => at(one))));
      await each((one) => one.increment("n"));
      assert.equal(await store.get("n"), 40);
      const created = await each((one) => one.create("created", 1));
      assert.equal(created.filter((revision) => revision !== undefined).length, 1);
      const taken = await each((one) => one.take("taken"));
      assert.deepEqual(
        taken.filter((value) => value !== undefined),
        ["prize"],
      );
      await each((one) => one.update("sum", (value) => Number(value ?? 0) + 1));
      assert.equal(await store.get("sum"), 40);
    },
  },
  {
    title: "a watcher of a shared backend is told of the writes through another adapter",
    requires: (abilities) =>
      sharing(abilities) ??
      (abilities.capabilities.watch === "shared" ? undefined : "it watches this process's writes only"),
    async run({ store, reopen }) {
      const seen = await watched(store);
      const other = (await reopen()).store;
      await other.set("k", "theirs");
      await seen.until((changes) => lastStates(changes).get("k") === "theirs");
      await other.delete("k");
      await seen.until((changes) => !lastStates(changes).has("k"));
      seen.stop();
    },
  },
  {
    title:
      "a second opener of data that only one process may have is KV_UNAVAILABLE, until the first has closed",
    requires: ({ capabilities, reopen }) =>
      capabilities.persistent && !capabilities.shared && reopen
        ? undefined
        : "its data are not persistent, or several processes may have them open",
    async run({ root, store, reopen, refused }) {
      await store.set("k", 1);
      const { store: other } = await reopen();
      await refused("KV_UNAVAILABLE", () => other.get("k"), { operation: "get" });
      assert.equal(await store.get("k"), 1);
      await root.close();
      assert.equal(await other.get("k"), 1);
    },
  },
];

export const durability: Chapter = {
  title: "durability and processes",
  cases: [...restarts, ...sharingCases],
};
