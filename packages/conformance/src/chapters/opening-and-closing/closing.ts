import assert from "node:assert/strict";
import { forward } from "@kv/core";
import { recorder, stall } from "../../assertions/between-store-and-adapter.ts";
import { collect } from "../../assertions/contents.ts";
import { eventually } from "../../assertions/watched.ts";
import { OPERATIONS } from "../../model/random-operations.ts";
import { watching } from "../../suite/abilities.ts";
import type { Case } from "../../suite/chapter.ts";

export const closing: readonly Case[] = [
  {
    title: "close waits for accepted work",
    async run({ store, open }) {
      const other = open();
      await store.has("opened");
      const written = other.store.set("k", 1);
      const incremented = other.store.increment("n", 2);
      await other.root.close();
      await Promise.all([written, incremented]);
      assert.deepEqual(await store.getMany(["k", "n"]), [1, 2]);
    },
  },
  {
    title: "close waits for the very first operation, which is still opening the adapter",
    async run({ open }) {
      const { root, store } = open();
      const written = store.set("k", 1);
      await root.close();
      assert.equal(typeof (await written), "string");
    },
  },
  {
    title: "close does not end before a write that the backend has not answered",
    async run({ open }) {
      const backend = stall();
      const { calls, between } = recorder();
      const { root, store } = open({}, (inner) => backend.between(between(inner)));
      await store.set("k", 1);
      backend.begin();
      const order: string[] = [];
      const written = store.set("k", 2).then(() => order.push("written"));
      const closed = root.close().then(() => order.push("closed"));
      await new Promise((resolve) => setTimeout(resolve, 10));
      assert.deepEqual(order, []);
      assert.ok(!calls.includes("close"));
      backend.end();
      await Promise.all([written, closed]);
      assert.deepEqual(order, ["written", "closed"]);
    },
  },
  {
    title: "close waits for transactions and updates whose functions are still at work",
    async run({ store, open }) {
      await store.set("a", 1);
      const other = open();
      await other.store.has("a");
      const waiting = Promise.withResolvers<void>();
      const transacted = other.store.transaction(async (tx) => {
        await waiting.promise;
        tx.set("a", Number(await tx.get("a")) + 1);
        return "done";
      });
      const updated = other.store.update("n", async () => {
        await waiting.promise;
        return 3;
      });
      // After this read, both calls are inside their functions.
      await other.store.has("a");
      const closed = other.root.close();
      await other.store.get("a").catch(() => undefined);
      waiting.resolve();
      assert.deepEqual(await Promise.all([transacted, updated]), ["done", 3]);
      await closed;
      assert.deepEqual(await store.getMany(["a", "n"]), [2, 3]);
    },
  },
  {
    title:
      "close waits for reads that take several steps, also behind a write, and none of them answers with less",
    async run({ store, open, capabilities }) {
      const count = 3000;
      const entries = Array.from({ length: count }, (_, i): [string, number] => [`k${i}`, i]);
      await store.setMany(entries);
      const { root, store: other } = open();
      await other.has("k0");
      const written = other.set("k0", 0);
      const counted = other.count();
      const stated = other.stats();
      const listed = other.listNamespaces();
      const ranged = capabilities.ordered ? other.range("k") : undefined;
      const paged = capabilities.ordered ? other.page({ limit: count }) : undefined;
      const closed = root.close();
      await written;
      assert.equal(await counted, count);
      assert.equal((await stated).keys, count);
      assert.ok(Array.isArray(await listed));
      if (ranged !== undefined) assert.equal((await ranged).length, count);
      if (paged !== undefined) assert.equal((await paged).entries.length, count);
      await closed;
    },
  },
  {
    title: "close waits for writes whose validation takes its time, and for what waits behind them",
    async run({ store, open, refused }) {
      await store.set("opened", true);
      const other = open();
      await other.store.has("opened");
      const waiting = Promise.withResolvers<void>();
      const late = {
        "~standard": {
          version: 1,
          vendor: "conformance",
          async validate(value: unknown) {
            await waiting.promise;
            return { value };
          },
        },
      } as const;
      const typed = other.store.typed(late);
      const written = Promise.all([typed.set("a", 1), typed.setMany([["b", 2]]), typed.delete("opened")]);
      const closed = other.root.close();
      await refused("KV_CLOSED", () => typed.set("c", 3));
      waiting.resolve();
      await Promise.all([written, closed]);
      assert.deepEqual(await store.getMany(["a", "b", "opened", "c"]), [1, 2, undefined, undefined]);
    },
  },
  {
    title: "a function that does not end keeps no store open for longer than the timeout",
    async run({ store, open, refused }) {
      await store.set("k", 1);
      const other = open({ timeout: 0.1 });
      // The read may time out on a busy machine.
      while (!(await other.store.has("k").catch(() => false)));
      const closed = Promise.withResolvers<void>();
      const transacted = other.store.transaction(async (tx) => {
        await other.root.close();
        closed.resolve();
        return tx.get("k");
      });
      await refused("KV_CLOSED", () => transacted, { operation: "transaction" });
      await closed.promise;
    },
  },
  {
    title: "a second close is a no-op, at the same time and later",
    async run({ open }) {
      const { calls, between } = recorder();
      const { root, store } = open({}, between);
      await store.set("k", 1);
      await Promise.all([root.close(), root.close()]);
      await root.close();
      assert.equal(calls.filter((call) => call === "close").length, 1);
    },
  },
  {
    title: "closing a store that was never used touches no backend",
    async run({ open, refused }) {
      const { calls, between } = recorder();
      const { root, store } = open({}, between);
      await root.close();
      assert.deepEqual(calls, []);
      await refused("KV_CLOSED", () => store.get("k"));
    },
  },
  {
    title: "every operation after close is KV_CLOSED, through every view",
    async run({ open, refused }) {
      const { calls, between } = recorder();
      const { root, store } = open({}, between);
      await store.set("k", 1);
      await root.close();
      calls.length = 0;
      for (const view of [root, store, store.typed<number>() as typeof store]) {
        for (const { call, namesKey, name } of OPERATIONS) {
          const expected = namesKey ? { operation: name, key: "k" } : { operation: name };
          await refused("KV_CLOSED", () => call(view), expected);
        }
      }
      await refused("KV_CLOSED", () => store.subscribe(() => undefined));
      await refused("KV_CLOSED", () => store.watch().next());
      assert.deepEqual(calls, []);
    },
  },
  {
    title:
      "a watcher that the backend is still registering when the store closes ends, too, and is taken off",
    requires: watching,
    async run({ open }) {
      const registering = Promise.withResolvers<void>();
      let on = 0;
      const { root, store } = open({}, (inner) => {
        const { watch } = inner;
        if (watch === undefined) return inner;
        return forward(inner, {
          async watch(...args) {
            await registering.promise;
            const off = await watch(...args);
            on += 1;
            return () => {
              on -= 1;
              off();
            };
          },
        });
      });
      await store.set("k", 1);
      const changes = collect(store.watch());
      const closed = root.close();
      registering.resolve();
      await closed;
      assert.deepEqual(await changes, []);
      assert.equal(on, 0);
    },
  },
  {
    title: "await using closes the store",
    async run({ open, refused }) {
      const { root, store } = open();
      {
        await using used = root;
        await used.set("k", 1);
      }
      await refused("KV_CLOSED", () => store.get("k"));
    },
  },
  {
    title:
      "a scan that is under way when the store closes is KV_CLOSED at its next step, and frees what it held",
    async run({ open, refused }) {
      let freed = 0;
      const { root, store } = open({}, (inner) =>
        forward(inner, {
          async *scan(namespace, range) {
            try {
              yield* inner.scan(namespace, range);
            } finally {
              freed += 1;
            }
          },
        }),
      );
      await store.setMany(Array.from({ length: 1000 }, (_, position) => [`k${position}`, position]));
      const scan = store.keys();
      await scan.next();
      await root.close();
      await refused("KV_CLOSED", () => scan.next(), { operation: "keys" });
      assert.equal((await scan.next()).done, true);
      // Each wrapper passes the end on to the next one in a tick of its own.
      await eventually(() => freed, 1);
    },
  },
  {
    title: "close ends the watchers",
    requires: watching,
    async run({ open }) {
      const { root, store } = open();
      const changes = collect(store.watch());
      await store.set("k", 1);
      await root.close();
      assert.ok((await changes).length <= 1);
    },
  },
  {
    title: "closing a view is a no-op: only the root closes",
    async run({ root, store }) {
      await store.set("k", 1);
      for (const view of [root.namespace("n"), root.scope("s"), root.typed<number>(), store.scope("t")]) {
        await view.close();
        await view[Symbol.asyncDispose]();
      }
      assert.equal(await store.get("k"), 1);
    },
  },
];
