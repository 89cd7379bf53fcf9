import assert from "node:assert/strict";
import type { Transaction } from "@kv/core";
import { contents } from "../../assertions/contents.ts";
import { atomically } from "../../suite/abilities.ts";
import type { Case } from "../../suite/chapter.ts";
import { rejectionOf } from "../../suite/refusal.ts";

export const transactions: readonly Case[] = [
  {
    title: "a transaction commits what its function wrote, and resolves to what the function returned",
    requires: atomically,
    async run({ store }) {
      await store.setMany([
        ["a", 1],
        ["b", 2],
        ["gone", 0],
      ]);
      const sum = await store.transaction(async (tx) => {
        const total = Number(await tx.get("a")) + Number(await tx.get("b"));
        tx.set("sum", total, { metadata: { by: "tx" } });
        tx.delete("gone");
        return total;
      });
      assert.equal(sum, 3);
      assert.deepEqual(await contents(store), [
        ["a", 1],
        ["b", 2],
        ["sum", 3],
      ]);
      assert.deepEqual((await store.getMetadata("sum"))?.user, { by: "tx" });
    },
  },
  {
    title: "a transaction reads through, and reads back what it wrote",
    requires: atomically,
    async run({ store }) {
      await store.setMany([
        ["a", 1],
        ["n", 5],
      ]);
      const seen = await store.transaction(async (tx) => {
        const before = [
          await tx.get("a"),
          await tx.get("x"),
          await tx.get("x", "fallback"),
          await tx.has("a"),
          await tx.has("x"),
          await tx.getMany(["a", "x", "a"]),
        ];
        tx.set("a", [2]);
        tx.set("x", null);
        const after = [
          await tx.get("a"),
          await tx.get("x", "fallback"),
          await tx.has("x"),
          await tx.getOrThrow("a"),
        ];
        tx.delete("a");
        const deleted = [await tx.get("a"), await tx.has("a"), await tx.get("a", "gone")];
        const counted = [
          await tx.increment("n"),
          await tx.increment("n", 4),
          await tx.get("n"),
          await tx.increment("new"),
          await tx.get("new"),
        ];
        return [before, after, deleted, counted];
      });
      assert.deepEqual(seen, [
        [1, undefined, "fallback", true, false, [1, undefined, 1]],
        [[2], null, true, [2]],
        [undefined, false, "gone"],
        [6, 10, 10, 1, 1],
      ]);
      assert.deepEqual(await contents(store), [
        ["n", 10],
        ["new", 1],
        ["x", null],
      ]);
    },
  },
  {
    title: "what a transaction writes is unseen by others before it commits",
    async run({ store }) {
      await store.transaction(async (tx) => {
        tx.set("k", 1);
        assert.equal(await store.get("k"), undefined);
        assert.equal(await tx.get("k"), 1);
      });
      assert.equal(await store.get("k"), 1);
    },
  },
  {
    title: "a transaction runs again where a key that it read has changed",
    requires: atomically,
    async run({ store, open }) {
      const other = open().store;
      await store.set("k", 1);
      let runs = 0;
      const result = await store.transaction(async (tx) => {
        runs += 1;
        const value = Number(await tx.get("k"));
        if (runs === 1) await other.set("k", 100);
        tx.set("k", value + 1);
        tx.set("runs", runs);
        return value + 1;
      });
      assert.equal(runs, 2);
      assert.equal(result, 101);
      assert.deepEqual(await contents(store), [
        ["k", 101],
        ["runs", 2],
      ]);
    },
  },
  {
    title:
      "a transaction notices a key that came to exist, one that vanished, and one that only has() looked at",
    requires: atomically,
    async run({ store, open }) {
      const other = open().store;
      const disturb: Readonly<Record<string, (tx: Transaction<unknown>) => Promise<unknown>>> = {
        get: (tx) => tx.get("k"),
        has: (tx) => tx.has("k"),
        getMany: (tx) => tx.getMany(["j", "k"]),
        increment: (tx) => tx.increment("k", 0),
      };
      for (const [name, look] of Object.entries(disturb)) {
        await store.clear();
        let runs = 0;
        await store.transaction(async (tx) => {
          runs += 1;
          await look(tx);
          if (runs === 1) await other.set("k", 1);
          if (runs === 2) await other.delete("k");
          tx.set("runs", runs);
        });
        assert.equal(runs, 3, name);
        assert.equal(await store.get("runs"), 3, name);
      }
    },
  },
  {
    title: "a transaction that only read runs again where what it read has changed",
    requires: atomically,
    async run({ store, open }) {
      const other = open().store;
      await store.setMany([
        ["a", 1],
        ["b", 1],
      ]);
      let runs = 0;
      const seen = await store.transaction(async (tx) => {
        runs += 1;
        const a = await tx.get("a");
        if (runs === 1) await other.atomic().set("a", 2).set("b", 2).commit();
        return [a, await tx.get("b")];
      });
      assert.deepEqual(seen, [2, 2]);
    },
  },
  {
    title: "a transaction that writes without reading conflicts with nobody",
    async run({ store, open }) {
      const other = open().store;
      let runs = 0;
      await store.transaction(async (tx) => {
        runs += 1;
        tx.set("k", "mine");
        await other.set("k", "theirs");
      });
      assert.equal(runs, 1);
      assert.equal(await store.get("k"), "mine");
    },
  },
  {
    title: "a transaction rejects with KV_CONFLICT after its last attempt, nothing written",
    requires: atomically,
    async run({ store, open, refused }) {
      const other = open().store;
      let runs = 0;
      const losing = (): Promise<void> =>
        store.transaction(
          async (tx) => {
            runs += 1;
            await tx.get("k");
            await other.set("k", runs);
            tx.set("mine", true);
          },
          { attempts: 3 },
        );
      await refused("KV_CONFLICT", losing, { operation: "transaction" });
      assert.equal(runs, 3);
      assert.deepEqual(await contents(store), [["k", 3]]);
      for (const attempts of [0, -1, 1.5, Number.NaN, "2", null]) {
        await refused(
          "KV_INVALID_OPTION",
          () => store.transaction(() => 1, { attempts: attempts as number }),
          { operation: "transaction" },
        );
      }
    },
  },
  {
    title:
      "where the function throws nothing was written, and what it threw is what the transaction rejects with",
    async run({ store }) {
      await store.set("k", 1);
      const failure = { no: "error" };
      const late = (): Promise<unknown> =>
        store.transaction(async (tx) => {
          tx.set("k", 2);
          tx.delete("k");
          await tx.increment("n");
          throw failure;
        });
      const early = (): Promise<unknown> =>
        store.transaction((tx) => {
          tx.set("k", 2);
          throw failure;
        });
      assert.equal(await rejectionOf(late), failure);
      assert.equal(await rejectionOf(early), failure);
      assert.deepEqual(await contents(store), [["k", 1]]);
    },
  },
  {
    title: "what a transaction refuses rejects it, nothing written",
    async run({ store, refused }) {
      await store.set("text", "x");
      await refused("KV_INVALID_KEY", () => store.transaction((tx) => tx.set("", 1)));
      await refused("KV_INVALID_KEY", () => store.transaction(async (tx) => tx.get("\ud800")));
      await refused("KV_INVALID_VALUE", () => store.transaction((tx) => tx.set("k", () => 1)), {
        key: "k",
      });
      await refused("KV_INVALID_TTL", () => store.transaction((tx) => tx.set("k", 1, { ttl: -1 })));
      await refused("KV_INVALID_VALUE", () => store.transaction((tx) => tx.increment("text")), {
        key: "text",
      });
      await refused("KV_NOT_FOUND", () => store.transaction((tx) => tx.getOrThrow("absent")), {
        key: "absent",
      });
      await refused("KV_INVALID_OPTION", () => store.transaction(undefined as never), {
        operation: "transaction",
      });
      assert.deepEqual(await contents(store), [["text", "x"]]);
    },
  },
  {
    title: "a transaction reads each key once, as of its first look",
    async run({ store, open }) {
      const other = open().store;
      await store.set("k", 1);
      let runs = 0;
      await store.transaction(async (tx) => {
        runs += 1;
        const first = await tx.get("k");
        if (runs === 1) await other.set("k", 2);
        assert.equal(await tx.get("k"), first);
      });
      assert.equal(await store.get("k"), 2);
    },
  },
  {
    title: "a transaction keeps an existing TTL where it increments",
    async run({ store, adapter }) {
      const expiresAt = new Date(adapter.clock() + 3_600_000);
      await store.set("n", 1, { expiresAt });
      await store.transaction((tx) => tx.increment("n"));
      assert.deepEqual((await store.getMetadata("n"))?.expiresAt, expiresAt);
    },
  },
  {
    title: "an empty transaction writes nothing",
    async run({ store }) {
      assert.equal(await store.transaction(() => "done"), "done");
      assert.deepEqual(await contents(store), []);
    },
  },
];
