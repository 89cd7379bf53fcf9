import assert from "node:assert/strict";
import type { Store } from "@kv/core";
import { recorder } from "../../assertions/between-store-and-adapter.ts";
import { contents } from "../../assertions/contents.ts";
import { OPERATIONS } from "../../model/random-operations.ts";
import { watching } from "../../suite/abilities.ts";
import type { Case } from "../../suite/chapter.ts";

export const readonlyViews: readonly Case[] = [
  {
    title: "readonly() reads everything that the store reads",
    async run({ store }) {
      await store.setMany([
        ["k", { a: 1 }],
        ["l", 2],
      ]);
      const reader = store.readonly();
      for (const { name, writes, call } of OPERATIONS) {
        if (writes || name === "ping") continue;
        assert.deepEqual(await call(reader as Store), await call(store), name);
      }
      assert.ok((await reader.ping()) >= 0);
      assert.deepEqual(await contents(reader), await contents(store));
      await store.set("k", 2);
      assert.equal(await reader.get("k"), 2);
    },
  },
  {
    title:
      "every writing member of readonly(), called all the same, is KV_READ_ONLY, and nothing reaches the backend",
    async run({ open, refused }) {
      const { calls, between } = recorder();
      const { store } = open({}, between);
      await store.set("k", 1);
      calls.length = 0;
      const readers = [
        store.readonly(),
        store.scope("s").readonly(),
        store.readonly().readonly(),
        store.typed<number>().readonly(),
      ];
      for (const reader of readers) {
        for (const { name, writes, call } of OPERATIONS) {
          if (writes)
            await refused(
              "KV_READ_ONLY",
              () => call(reader as Store),
              name === "commit" ? {} : { operation: name },
            );
        }
      }
      assert.deepEqual(calls, []);
      assert.deepEqual(await contents(store), [["k", 1]]);
    },
  },
  {
    title: "what a read-only view gives is read-only, too",
    async run({ store, refused }) {
      const reader = store.readonly();
      for (const view of [
        reader.scope("s"),
        reader.namespace("n"),
        reader.typed<number>(),
        reader.scope("s").namespace("n").readonly(),
      ]) {
        await refused("KV_READ_ONLY", () => (view as Store).set("k", 1), { operation: "set", key: "k" });
        await refused("KV_READ_ONLY", () => (view as Store).clear(), { operation: "clear" });
        assert.equal(await view.get("k"), undefined);
      }
      await refused("KV_READ_ONLY", () => (reader as Store).clear({ namespaces: true }), {
        operation: "clear",
      });
    },
  },
  {
    title: "a function that a read-only view was given is not called",
    async run({ store, refused }) {
      const reader = store.readonly() as Store;
      let calls = 0;
      const count = (): undefined => {
        calls += 1;
      };
      await refused("KV_READ_ONLY", () => reader.update("k", count), { operation: "update", key: "k" });
      await refused("KV_READ_ONLY", () => reader.transaction(count), { operation: "transaction" });
      assert.equal(calls, 0);
    },
  },
  {
    title: "a read-only view watches",
    requires: watching,
    async run({ store }) {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      const subscription = await store.readonly().subscribe((change) => resolve(change.value));
      await store.set("k", 1);
      assert.equal(await promise, 1);
      subscription.unsubscribe();
    },
  },
  {
    title: "a read-only view closes nothing",
    async run({ store }) {
      await store.set("k", 1);
      await (store.readonly() as Store).close();
      assert.equal(await store.get("k"), 1);
    },
  },
];
