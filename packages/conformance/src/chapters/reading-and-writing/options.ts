import assert from "node:assert/strict";
import type { Store } from "@kv/core";
import { recorder, stall } from "../../assertions/between-store-and-adapter.ts";
import { collect, contents } from "../../assertions/contents.ts";
import { OPERATIONS } from "../../model/random-operations.ts";
import type { Case } from "../../suite/chapter.ts";

/** Values that are not an options object. */
const NO_OPTIONS: unknown[] = [5, "ttl", true, [1]];

export const options: readonly Case[] = [
  {
    title: "an unknown option is KV_INVALID_OPTION in every operation, and reaches no backend",
    async run({ open, refused }) {
      const { calls, between } = recorder();
      const { store } = open({}, between);
      for (const { name, call } of OPERATIONS) {
        const operation = name === "commit" ? {} : { operation: name };
        await refused("KV_INVALID_OPTION", () => call(store, { sginal: 1 } as never), {
          ...operation,
          says: "sginal",
        });
      }
      await refused("KV_INVALID_OPTION", () => store.watch({ sginal: 1 } as never).next(), {
        operation: "watch",
      });
      await refused("KV_INVALID_OPTION", () => store.subscribe(() => undefined, { sginal: 1 } as never), {
        operation: "subscribe",
      });
      assert.deepEqual(
        calls.filter((call) => call !== "open"),
        [],
      );
    },
  },
  {
    title:
      "options that cannot be read are KV_INVALID_OPTION in every operation: a rejection, and never a throw",
    async run({ store, refused }) {
      const throwing = {
        get signal(): AbortSignal {
          throw new Error("not today");
        },
      };
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      for (const { name, call } of OPERATIONS) {
        // The table of operations spreads the options of `replace`, which would throw here.
        if (name === "replace") continue;
        for (const options of [throwing, proxy])
          await refused("KV_INVALID_OPTION", () => call(store, options));
      }
      await refused("KV_INVALID_OPTION", () => store.replace("k", 1, proxy as never));
      await refused("KV_INVALID_OPTION", () => store.setMany({ [Symbol.iterator]: () => proxy } as never));
      await refused("KV_INVALID_OPTION", () => store.set("k", 1, { policy: Object.create(null) as never }));
      await refused("KV_INVALID_TTL", () => store.set("k", 1, { expiresAt: Object.create(null) as never }));
      assert.deepEqual(await contents(store), []);
    },
  },
  {
    title: "an unknown option is told with the known ones, so that a misspelt one is found",
    async run({ store, refused }) {
      await refused("KV_INVALID_OPTION", () => store.set("k", 1, { tll: 5 } as never), {
        says: /"?tll"?[\s\S]*\bttl\b/,
      });
      await refused("KV_INVALID_OPTION", () => store.setMany([["k", 1, { TTL: 5 } as never]]), {
        says: "TTL",
      });
      await refused("KV_INVALID_OPTION", () => store.page({ cursr: "" } as never), {
        says: /cursr[\s\S]*\bcursor\b/,
      });
      await refused("KV_INVALID_OPTION", () => store.create("k", 1, { keepTtl: true } as never), {
        says: "keepTtl",
      });
      await refused("KV_INVALID_OPTION", () => store.increment("k", 1, { keepTtl: true } as never), {
        says: "keepTtl",
      });
      await refused("KV_INVALID_OPTION", () => store.setCache("k", 1, { policy: "persist" } as never), {
        says: "policy",
      });
      await refused(
        "KV_INVALID_OPTION",
        () =>
          store
            .atomic()
            .set("k", 1, { tll: 5 } as never)
            .commit(),
        { says: "tll" },
      );
      await refused(
        "KV_INVALID_OPTION",
        () => store.transaction((tx) => tx.set("k", 1, { tll: 5 } as never)),
        { says: "tll" },
      );
      assert.deepEqual(await contents(store), []);
    },
  },
  {
    title: "an option that is undefined is an option not given",
    async run({ store }) {
      const nothing = {
        ttl: undefined,
        expiresAt: undefined,
        policy: undefined,
        metadata: undefined,
        signal: undefined,
      };
      await store.set("k", 1, { ...nothing, keepTtl: undefined });
      await store.create("c", 1, nothing);
      await store.increment("n", 1, nothing);
      await store.update("u", () => 1, { ...nothing, attempts: undefined });
      assert.equal(
        await store.count({
          prefix: undefined,
          gt: undefined,
          gte: undefined,
          lt: undefined,
          lte: undefined,
          signal: undefined,
          reverse: undefined,
          limit: undefined,
          onCorrupt: undefined,
        }),
        4,
      );
      assert.equal((await store.page({ cursor: undefined, limit: undefined })).entries.length, 4);
      assert.equal((await store.range("k", undefined, { limit: undefined, reverse: undefined })).length, 1);
      const metadata = await store.getMetadata("k");
      assert.equal(metadata?.policy, "persist");
      assert.equal(metadata?.expiresAt, undefined);
      assert.equal(await store.get("absent", undefined, { signal: undefined }), undefined);
    },
  },
  {
    title: "options that are no object are KV_INVALID_OPTION",
    async run({ store, refused }) {
      for (const none of NO_OPTIONS) {
        await refused("KV_INVALID_OPTION", () => store.set("k", 1, none as never), { operation: "set" });
        await refused("KV_INVALID_OPTION", () => store.count(none as never), { operation: "count" });
        await refused("KV_INVALID_OPTION", () => store.delete("k", none as never), { operation: "delete" });
        await refused("KV_INVALID_OPTION", () => store.has("k", none as never), { operation: "has" });
      }
      assert.deepEqual(await contents(store), []);
    },
  },
  {
    title: "an option with an impossible value is KV_INVALID_OPTION, nothing written",
    async run({ store, refused }) {
      const impossible: unknown[] = [
        { policy: "cache" },
        { policy: null },
        { keepTtl: "yes" },
        { keepTtl: 1 },
        { signal: {} },
        { signal: "stop" },
      ];
      for (const wrong of impossible) {
        await refused("KV_INVALID_OPTION", () => store.set("k", 1, wrong as never), { operation: "set" });
      }
      await refused("KV_INVALID_OPTION", () => store.set("k", 1, { ttl: 5, expiresAt: new Date() }), {
        operation: "set",
      });
      await refused("KV_INVALID_OPTION", () => store.set("k", 1, { ttl: 5, keepTtl: true }), {
        operation: "set",
      });
      await refused("KV_INVALID_OPTION", () => store.set("k", 1, { expiresAt: new Date(), keepTtl: true }), {
        operation: "set",
      });
      assert.deepEqual(await contents(store), []);
    },
  },
  {
    title: "one bad option in a batch refuses the whole batch",
    async run({ store, refused }) {
      await refused(
        "KV_INVALID_OPTION",
        () =>
          store.setMany([
            ["a", 1],
            ["b", 2, { policy: "no" as never }],
          ]),
        { operation: "setMany" },
      );
      await refused("KV_INVALID_OPTION", () =>
        store
          .atomic()
          .set("a", 1)
          .set("b", 2, { policy: "no" as never })
          .commit(),
      );
      for (const tuples of [5, null, [5], [["a"], ["b", 1, 2]], { a: 1 }]) {
        await assert.rejects(async () => store.setMany(tuples as never), { name: "KvError" });
      }
      assert.deepEqual(await contents(store), []);
    },
  },
];

/** Asserts that no write took effect. */
async function assertUntouched(store: Store): Promise<void> {
  assert.deepEqual(await contents(store), [["k", "before"]]);
}

export const signals: readonly Case[] = [
  {
    title: "a signal that is aborted already rejects every operation with KV_ABORTED, nothing written",
    async run({ store, refused }) {
      await store.set("k", "before");
      const reason = new Error("enough");
      const signal = AbortSignal.abort(reason);
      for (const { name, call } of OPERATIONS) {
        await refused(
          "KV_ABORTED",
          () => call(store, { signal }),
          name === "commit" ? {} : { operation: name },
        );
      }
      await refused("KV_ABORTED", () => store.watch({ signal }).next(), { operation: "watch" });
      await refused("KV_ABORTED", () => store.subscribe(() => undefined, { signal }), {
        operation: "subscribe",
      });
      await assertUntouched(store);
    },
  },
  {
    title: "a signal that is aborted later rejects what is still under way",
    async run({ open, refused }) {
      const backend = stall();
      const { store } = open({}, backend.between);
      await store.set("k", "before");
      backend.begin();
      const controller = new AbortController();
      const { signal } = controller;
      const calls = [
        refused("KV_ABORTED", () => store.get("k", undefined, { signal })),
        refused("KV_ABORTED", () => store.set("k", 2, { signal })),
        refused("KV_ABORTED", () => collect(store.keys({ signal }))),
        refused("KV_ABORTED", () => store.count({ signal })),
      ];
      setTimeout(() => controller.abort(), 5);
      await Promise.all(calls);
      backend.end();
    },
  },
  {
    title: "a scan ends with KV_ABORTED at the next step after its signal was aborted",
    async run({ store, refused }) {
      await store.setMany(Array.from({ length: 20 }, (_, position) => [`k${position}`, position]));
      const controller = new AbortController();
      const keys = store.keys({ signal: controller.signal });
      assert.equal((await keys.next()).done, false);
      controller.abort();
      await refused("KV_ABORTED", () => keys.next(), { operation: "keys" });
    },
  },
  {
    title: "a signal that is aborted after the end changes nothing, and leaves no listener behind",
    async run({ store }) {
      const controller = new AbortController();
      const { signal } = controller;
      let listeners = 0;
      const { addEventListener, removeEventListener } = signal;
      signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
        listeners += 1;
        addEventListener.apply(signal, args);
      };
      signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
        listeners -= 1;
        removeEventListener.apply(signal, args);
      };
      await store.set("k", 1, { signal });
      await store.getMany(["k"], { signal });
      await collect(store.entries({ signal }));
      await store.transaction((tx) => tx.get("k"), { signal });
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(listeners, 0);
      controller.abort();
      assert.equal(await store.get("k"), 1);
    },
  },
];
