import assert from "node:assert/strict";
import { KvError } from "@kv/core";
import { contents } from "../../assertions/contents.ts";
import type { Case } from "../../suite/chapter.ts";
import { rejectionOf } from "../../suite/refusal.ts";

const races: readonly Case[] = [
  {
    title: "create writes where the key is absent, else changes nothing and resolves to undefined",
    async run({ store }) {
      const revision = await store.create("k", 1, { policy: "evict", metadata: { a: 1 }, ttl: 3600 });
      assert.equal((await store.getMetadata("k"))?.revision, revision);
      const before = await store.getEntry("k");
      assert.equal(before?.metadata.policy, "evict");
      assert.ok(before?.metadata.expiresAt !== undefined);
      assert.equal(await store.create("k", 2), undefined);
      assert.deepEqual(await store.getEntry("k"), before);
    },
  },
  {
    title: "replace writes where the revision is still the same, and resolves to the new one",
    async run({ store }) {
      const old = await store.set("k", 1, { ttl: 3600, metadata: { a: 1 } });
      const revision = await store.replace("k", 2, { revision: old, policy: "evict" });
      const entry = await store.getEntry("k");
      assert.notEqual(revision, old);
      assert.equal(entry?.metadata.revision, revision);
      assert.equal(entry?.value, 2);
      assert.equal(entry?.metadata.policy, "evict");
      assert.equal(entry?.metadata.user, undefined);
      assert.equal(entry?.metadata.expiresAt, undefined);
    },
  },
  {
    title: "replace changes nothing and resolves to undefined where the key changed or vanished",
    async run({ store }) {
      const stale = await store.set("k", 1);
      await store.set("k", 1);
      assert.equal(await store.replace("k", 3, { revision: stale }), undefined);
      assert.equal(await store.get("k"), 1);
      const revision = (await store.getMetadata("k"))?.revision ?? "";
      await store.delete("k");
      assert.equal(await store.replace("k", 3, { revision }), undefined);
      assert.equal(await store.replace("never", 3, { revision }), undefined);
      assert.deepEqual(await contents(store), []);
      await store.create("k", 1);
      assert.equal(await store.replace("k", 3, { revision }), undefined);
    },
  },
  {
    title: "delete with a revision deletes only at that revision",
    async run({ store }) {
      const stale = await store.set("k", 1);
      const revision = await store.set("k", 2);
      assert.equal(await store.delete("k", { revision: stale }), false);
      assert.equal(await store.get("k"), 2);
      assert.equal(await store.delete("k", { revision }), true);
      assert.equal(await store.delete("k", { revision }), false);
      await store.set("k", 3);
      assert.equal(await store.delete("k", { revision: undefined }), true);
    },
  },
  {
    title: "replace without a revision, and a revision that is none, are KV_INVALID_OPTION",
    async run({ store, refused }) {
      await store.set("k", 1);
      for (const options of [undefined, {}, { revision: undefined }, { revision: 1 }, { revision: null }]) {
        await refused("KV_INVALID_OPTION", () => store.replace("k", 2, options as never), {
          operation: "replace",
        });
      }
      await refused("KV_INVALID_OPTION", () => store.delete("k", { revision: 1 as never }), {
        operation: "delete",
      });
      await refused("KV_INVALID_OPTION", () => store.delete("k", { revision: null as never }), {
        operation: "delete",
      });
      assert.deepEqual(await contents(store), [["k", 1]]);
    },
  },
];

const updates: readonly Case[] = [
  {
    title: "update writes what the function makes of the value, and resolves to it",
    async run({ store }) {
      assert.equal(await store.update("k", (value) => (value === undefined ? 1 : 0)), 1);
      assert.deepEqual(await store.update("k", async (value) => [value, 2]), [1, 2]);
      assert.deepEqual(await store.get("k"), [1, 2]);
    },
  },
  {
    title: "update deletes where the function returns undefined",
    async run({ store }) {
      await store.set("k", 1);
      assert.equal(await store.update("k", () => undefined), undefined);
      assert.equal(await store.has("k"), false);
      assert.equal(await store.update("k", () => undefined), undefined);
      assert.equal(await store.has("k"), false);
    },
  },
  {
    title: "update clears an earlier TTL, and keeps it with keepTtl",
    async run({ store }) {
      await store.set("k", 1, { ttl: 3600, policy: "evict" });
      const deadline = (await store.getMetadata("k"))?.expiresAt;
      await store.update("k", () => 2, { keepTtl: true });
      assert.deepEqual((await store.getMetadata("k"))?.expiresAt, deadline);
      assert.equal((await store.getMetadata("k"))?.policy, "persist");
      await store.update("k", () => 3, { policy: "evict" });
      assert.equal((await store.getMetadata("k"))?.expiresAt, undefined);
      assert.equal((await store.getMetadata("k"))?.policy, "evict");
    },
  },
  {
    title: "update applies its function again where somebody wrote in between",
    async run({ open, store }) {
      const other = open().store;
      await store.set("k", 1);
      const seen: unknown[] = [];
      const result = await store.update("k", async (value) => {
        seen.push(value);
        if (seen.length < 3) await other.set("k", seen.length * 10);
        return Number(value) + 1;
      });
      assert.deepEqual(seen, [1, 10, 20]);
      assert.equal(result, 21);
      assert.equal(await store.get("k"), 21);
    },
  },
  {
    title: "update notices a key that came to exist, and one that vanished, in between",
    async run({ open, store }) {
      const other = open().store;
      const seen: unknown[] = [];
      await store.update("k", async (value) => {
        seen.push(value);
        if (seen.length === 1) await other.set("k", "theirs");
        if (seen.length === 2) await other.delete("k");
        return "mine";
      });
      assert.deepEqual(seen, [undefined, "theirs", undefined]);
      assert.equal(await store.get("k"), "mine");
    },
  },
  {
    title: "an update that deletes notices a write in between",
    async run({ open, store }) {
      const other = open().store;
      await store.set("k", "old");
      await store.update("k", async (value) => {
        if (value === "new") return value;
        await other.set("k", "new");
        return undefined;
      });
      assert.equal(await store.get("k"), "new");
    },
  },
  {
    title: "update rejects with KV_CONFLICT after its attempts, nothing written",
    async run({ open, store, refused }) {
      const other = open().store;
      let runs = 0;
      const update = (): Promise<unknown> =>
        store.update(
          "k",
          async () => {
            runs += 1;
            await other.set("k", `theirs ${runs}`);
            return "mine";
          },
          { attempts: 3 },
        );
      await refused("KV_CONFLICT", update, { operation: "update", key: "k" });
      assert.equal(runs, 3);
      assert.equal(await store.get("k"), "theirs 3");
      for (const attempts of [0, -1, 1.5, Number.NaN, "3"]) {
        await refused(
          "KV_INVALID_OPTION",
          () => store.update("k", () => 1, { attempts: attempts as number }),
          { operation: "update" },
        );
      }
    },
  },
  {
    title: "what the function of update throws is what update rejects with, nothing written",
    async run({ store }) {
      await store.set("k", 1);
      const failure = new Error("mine");
      const sync = (): Promise<unknown> =>
        store.update("k", () => {
          throw failure;
        });
      assert.equal(await rejectionOf(sync), failure);
      assert.equal(await rejectionOf(() => store.update("k", () => Promise.reject(failure))), failure);
      assert.equal(await store.get("k"), 1);
      assert.equal(KvError.is(failure), false);
    },
  },
];

export const conditionalWrites: readonly Case[] = [...races, ...updates];
