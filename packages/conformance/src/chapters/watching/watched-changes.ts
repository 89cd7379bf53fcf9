import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { type Change, compareKeys } from "@kv/core";
import { fill } from "../../assertions/contents.ts";
import { lastStates, outline, PATIENCE, watched } from "../../assertions/watched.ts";
import type { Case } from "../../suite/chapter.ts";

/** What a watcher receives. */
export const watchedChanges: readonly Case[] = [
  {
    title: "the capability tells whose writes are seen: nobody's, this process's or every process's",
    async run({ capabilities }) {
      assert.ok([false, "local", "shared"].includes(capabilities.watch));
    },
  },
  {
    title: "every kind of write arrives as a change with key, revision and value",
    async run({ store }) {
      const seen = await watched(store);
      const writes: readonly (readonly [write: () => Promise<unknown>, ...expected: unknown[][]])[] = [
        [() => store.set("a", 1), ["set", "a", 1]],
        [() => store.create("b", { x: [1] }), ["set", "b", { x: [1] }]],
        [
          () =>
            store.getMetadata("b").then((old) => store.replace("b", 2, { revision: old?.revision ?? "" })),
          ["set", "b", 2],
        ],
        [() => store.increment("c", 3), ["set", "c", 3]],
        [() => store.update("c", (value) => [value]), ["set", "c", [3]]],
        [
          () =>
            store.setMany([
              ["d", 4],
              ["e", 5],
            ]),
          ["set", "d", 4],
          ["set", "e", 5],
        ],
        [() => store.setCache("f", 6), ["set", "f", 6]],
        [() => store.atomic().set("g", 7).commit(), ["set", "g", 7]],
        [() => store.transaction((tx) => tx.set("h", 8)), ["set", "h", 8]],
      ];
      for (const [write, ...expected] of writes) {
        const before = seen.changes.length;
        await write();
        await seen.until((all) => all.length >= before + expected.length);
        assert.deepEqual(byKey(seen.changes.slice(before)).map(outline), expected);
        const { key = "", revision } = seen.changes.at(-1) ?? {};
        assert.equal(revision, (await store.getMetadata(key))?.revision);
      }
      seen.stop();
    },
  },
  {
    title: "every kind of removal arrives as a delete",
    async run({ store }) {
      await fill(store, ["a", "b", "c", "d", "e", "f"]);
      await store.setCache("g", 1);
      const seen = await watched(store);
      await store.delete("a");
      await store.take("b");
      await store.deleteMany(["c"]);
      await store.update("d", () => undefined);
      await store.atomic().delete("e").commit();
      await store.clearCache();
      await store.clear();
      await seen.until((all) => all.length >= 7);
      assert.deepEqual(
        byKey(seen.changes),
        ["a", "b", "c", "d", "e", "f", "g"].map((key) => ({ type: "delete", key })),
      );
      seen.stop();
    },
  },
  {
    title: "an entry that expires arrives as expire, at the latest when it is swept",
    async run({ store, time }) {
      const seen = await watched(store);
      await store.set("k", 1, { ttl: time.short });
      await store.set("stays", 1, { ttl: time.short * 1000 });
      await time.pass(time.short);
      await store.sweep();
      await seen.until((all) => all.some(({ type }) => type === "expire"));
      assert.deepEqual(
        seen.changes.filter(({ type }) => type === "expire"),
        [{ type: "expire", key: "k" }],
      );
      seen.stop();
    },
  },
  {
    title: "updateTtl and updatePolicy arrive as touch, with the revision and value there are",
    async run({ store }) {
      const revision = await store.set("k", { a: 1 });
      const seen = await watched(store);
      await store.updateTtl("k", 3600);
      await seen.until((all) => all.length >= 1);
      await store.updatePolicy("k", "evict");
      await seen.until((all) => all.length >= 2);
      assert.deepEqual(
        seen.changes,
        [1, 2].map(() => ({ type: "touch", key: "k", revision, value: { a: 1 } })),
      );
      seen.stop();
    },
  },
  {
    title: "what changes nothing is no change: a lost race, an absent key, a refusal",
    async run({ store, settle }) {
      await store.set("k", "text");
      const seen = await watched(store);
      await store.create("k", 2);
      await store.replace("k", 2, { revision: "stale" });
      await store.delete("k", { revision: "stale" });
      await store.atomic().check("k", null).set("k", 2).commit();
      await store.delete("absent");
      await store.updateTtl("absent", 5);
      await store.increment("k").catch(() => undefined);
      await store.set("k", () => 1).catch(() => undefined);
      await store.get("k");
      await store.set("end", 1);
      await seen.until((all) => all.length >= 1);
      await settle();
      assert.deepEqual(seen.changes.map(outline), [["set", "end", 1]]);
      seen.stop();
    },
  },
  {
    title: "changes of one key arrive in order, and the last one always",
    async run({ store }) {
      const seen = await watched(store);
      const writes: Promise<unknown>[] = [];
      for (let round = 0; round < 200; round++) writes.push(store.set("k", round));
      await Promise.all(writes);
      await seen.until((all) => all.at(-1)?.value === 199);
      const values = seen.changes.map(({ value }) => Number(value));
      assert.deepEqual(
        values,
        values.toSorted((a, b) => a - b),
      );
      seen.stop();
    },
  },
  {
    title: "the changes of a commit with several mutations of one key end with its last state",
    async run({ store }) {
      const seen = await watched(store);
      await store.atomic().set("k", 1).delete("k").set("k", 2).increment("k").commit();
      await store.atomic().set("gone", 1).delete("gone").commit();
      await store.set("end", 1);
      const expected = new Map<string, unknown>([
        ["k", 3],
        ["end", 1],
      ]);
      await seen.until((all) => isDeepStrictEqual(lastStates(all), expected));
      seen.stop();
    },
  },
  {
    title: "a consumer that falls behind may miss states in between, never the last of any key",
    async run({ store, settle }) {
      const changes = store.watch();
      // A backend behind a network takes a moment to register the watcher.
      const first = changes.next();
      while (!(await within(first, settle))) await store.set("begun", 1);
      const keys = Array.from({ length: 50 }, (_, position) => `k${position}`);
      for (let round = 0; round <= 20; round++) await store.setMany(keys.map((key) => [key, round]));
      await store.deleteMany(keys.slice(0, 10));
      await store.set("end", 1);
      // Changes of different keys may overtake each other: the last write need not arrive last.
      const expected = new Map<string, unknown>([
        ...keys.slice(10).map((key) => [key, 20] as const),
        ["end", 1],
      ]);
      const patience = setTimeout(() => void changes.return?.(), PATIENCE);
      const seen: Change<unknown>[] = [];
      let states = lastStates(seen);
      for await (const change of changes) {
        seen.push(change);
        states = lastStates(seen.filter(({ key }) => key !== "begun"));
        if (isDeepStrictEqual(states, expected)) break;
      }
      clearTimeout(patience);
      assert.deepEqual(states, expected);
    },
  },
  {
    title: "watch registers at the call: a write after it is seen, before the first next was called",
    async run({ store, settle }) {
      await store.has("opened");
      for (let patience = 1; ; patience *= 2) {
        const enough = async (): Promise<void> => {
          for (let i = 0; i < patience; i++) await settle();
        };
        const changes = store.watch();
        // Nothing reports when a watcher is registered before its first `next()`. The case tries longer and longer
        // pauses, because a busy machine may need more.
        await enough();
        await store.set("k", patience);
        const next = changes.next();
        const seen = await within(next, enough);
        await changes.return?.();
        if (seen) assert.deepEqual(outline((await next).value ?? { type: "resync" }), ["set", "k", patience]);
        if (seen) return;
        assert.ok(patience < 64, "no change was seen");
      }
    },
  },
  {
    title: "once subscribe has resolved no later change is missed",
    async run({ open }) {
      for (let round = 0; round < 10; round++) {
        const { store } = open();
        const seen = await watched(store, { prefix: `${round} ` });
        await store.set(`${round} k`, round);
        await seen.until((all) => all.length === 1);
        seen.stop();
      }
    },
  },
  {
    title: "whoever subscribes and then reads misses nothing of what is being written meanwhile",
    async run({ store, open }) {
      const reader = open().store;
      await Promise.all([store.has("opened"), reader.has("opened")]);
      for (let round = 0; round < 12; round++) {
        const keys = Array.from({ length: 8 }, (_, i) => `${round} ${i}`);
        const writing = Promise.all(keys.map((key) => store.set(key, "long ".repeat(4000))));
        for (let turns = round % 4; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
        const seen = await watched(reader, { prefix: `${round} ` });
        const read = await reader.getMany(keys);
        await writing;
        const unread = keys.filter((_, i) => read[i] === undefined);
        await seen.until((all) => {
          const told = new Set(all.map(({ type, key }) => (type === "resync" ? type : key)));
          return told.has("resync") || unread.every((key) => told.has(key));
        });
        seen.stop();
      }
    },
  },
];

/** Sorted by key, to compare changes of different keys: only those of one key arrive in order. */
function byKey(changes: readonly Change<unknown>[]): Change<unknown>[] {
  return changes.toSorted((a, b) => compareKeys(a.key ?? "", b.key ?? ""));
}

/** Whether a promise settles within the given time. */
async function within(promise: Promise<unknown>, time: () => Promise<void>): Promise<boolean> {
  return Promise.race([promise.then(() => true), time().then(() => false)]);
}
