import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { type ChangeListener, compareKeys, forward } from "@kv/core";
import { fill } from "../../assertions/contents.ts";
import { lastStates, outline, watched } from "../../assertions/watched.ts";
import type { Case } from "../../suite/chapter.ts";

/** Which changes a watcher receives, from when on, and which other watchers do. */
export const watchSelection: readonly Case[] = [
  {
    title: "a watcher is told of the keys within its selector, in its scope and namespace, and of no others",
    async run({ store, root, settle }) {
      const seen = await watched(store.scope("s"), { prefix: "a", lt: "ab" });
      await store.scope("s").setMany([
        ["a", 1],
        ["aa", 2],
        ["ab", 3],
        ["b", 4],
      ]);
      await store.setMany([
        ["a", 5],
        ["aa", 6],
        ["sa", 7],
      ]);
      await store.namespace("n").scope("s").set("a", 8);
      await root.namespace("other").set("a", 9);
      // A state that ended before it could be reported may be left out.
      await seen.until((all) => all.length >= 2);
      await store.scope("s").delete("ab");
      await store.scope("s").delete("a");
      await seen.until((all) => all.length >= 3);
      await settle();
      // Only the changes of one key arrive in order.
      const byKey = seen.changes.toSorted((a, b) => compareKeys(a.key ?? "", b.key ?? ""));
      assert.deepEqual(byKey.map(outline), [
        ["set", "a", 1],
        ["delete", "a"],
        ["set", "aa", 2],
      ]);
      seen.stop();
    },
  },
  {
    title: "initial begins with the entries there are, as set changes in key order",
    async run({ store }) {
      await store.setMany([
        ["b", 2],
        ["a", 1],
        ["x", 9],
      ]);
      const seen = await watched(store, { initial: true, lt: "x" });
      await seen.until((all) => all.length >= 2);
      await store.set("c", 3);
      await seen.until((all) => all.length >= 3);
      assert.deepEqual(seen.changes.map(outline), [
        ["set", "a", 1],
        ["set", "b", 2],
        ["set", "c", 3],
      ]);
      assert.equal(seen.changes[0]?.revision, (await store.getMetadata("a"))?.revision);
      seen.stop();
    },
  },
  {
    title: "with initial nothing is lost between what there is and what changes meanwhile",
    async run({ store }) {
      const keys = Array.from({ length: 600 }, (_, position) => `k${String(position).padStart(3, "0")}`);
      await fill(store, keys);
      const changes = store.watch({ initial: true });
      const seen = [(await changes.next()).value ?? { type: "resync" as const }];
      await store.set("k000", "changed");
      await store.set("k599", "changed");
      await store.delete("k300");
      await store.set("z", "end");
      const expected = new Map<string, unknown>(keys.map((key, position) => [key, position]));
      expected.set("k000", "changed").set("k599", "changed").set("z", "end").delete("k300");
      // If a change is lost, this waits until the case times out.
      for await (const change of changes) {
        seen.push(change);
        if (isDeepStrictEqual(lastStates(seen), expected)) break;
      }
    },
  },
  {
    title: "several watchers are each told everything",
    async run({ store }) {
      const all = await Promise.all([
        watched(store),
        watched(store, { prefix: "k" }),
        watched(store, { initial: true }),
      ]);
      await store.set("k", 1);
      await store.delete("k");
      for (const seen of all) await seen.until((changes) => changes.at(-1)?.type === "delete");
      for (const seen of all) seen.stop();
    },
  },
  {
    title: "a watcher is told of the writes of every store over the same adapter",
    async run({ store, open }) {
      const seen = await watched(store);
      await open().store.set("k", "theirs");
      await seen.until((all) => all.length === 1);
      assert.deepEqual(seen.changes.map(outline), [["set", "k", "theirs"]]);
      seen.stop();
    },
  },
  {
    title: "where the backend may have dropped changes a resync arrives, and what comes after it, too",
    async run({ open }) {
      let drop = (): void => assert.fail("the store has not called watch");
      const { store } = open({}, (inner) => {
        const { watch } = inner;
        if (watch === undefined) return inner;
        return forward(inner, {
          watch(namespace, bounds, listener) {
            drop = () => listener([{ type: "resync" }]);
            return watch(namespace, bounds, listener);
          },
        });
      });
      const seen = await watched(store);
      await store.set("a", 1);
      await seen.until((all) => all.length === 1);
      drop();
      await seen.until((all) => all.length === 2);
      await store.set("b", 2);
      await seen.until((all) => all.length === 3);
      assert.deepEqual(seen.changes.map(outline), [
        ["set", "a", 1],
        ["resync", undefined],
        ["set", "b", 2],
      ]);
      seen.stop();
    },
  },
  {
    title: "a watcher that falls behind by more keys than are kept for it is told so by a resync",
    async run({ open }) {
      let tell: ChangeListener = () => assert.fail("the store has not called watch");
      const { store } = open({}, (inner) =>
        forward(inner, {
          watch(_namespace, _bounds, listener) {
            tell = listener;
            return () => undefined;
          },
        }),
      );
      await store.has("opened");
      const changes = store.watch();
      const keys = Array.from({ length: 200_000 }, (_, position) => `k${position}`);
      tell(keys.map((key) => ({ type: "delete", key })));
      // Every change, or a `resync` for those left out: no silent gap.
      const seen = new Set<string>();
      let resync = false;
      for await (const { type, key } of changes) {
        if (type === "resync") resync = true;
        else seen.add(key);
        if (resync || seen.size === keys.length) break;
      }
      assert.ok(resync || seen.size === keys.length);
    },
  },
  {
    title: "a bad selector of a watcher is refused",
    async run({ store, refused }) {
      for (const selector of [
        { limit: 1 },
        { reverse: true },
        { initial: "yes" },
        { prefix: 1 },
        { gt: "\ud800" },
      ]) {
        await refused("KV_INVALID_OPTION", () => store.watch(selector as never).next(), {
          operation: "watch",
        });
        await refused("KV_INVALID_OPTION", () => store.subscribe(() => undefined, selector as never), {
          operation: "subscribe",
        });
      }
      await refused("KV_INVALID_OPTION", () => store.subscribe("callback" as never), {
        operation: "subscribe",
      });
    },
  },
  {
    title: "a change whose value cannot be decoded is left out, and the ones after it arrive",
    async run({ store, plantCorrupt }) {
      const seen = await watched(store);
      await plantCorrupt("broken");
      await store.set("k", 1);
      await seen.until((all) => all.some(({ key }) => key === "k"));
      assert.deepEqual(seen.changes.map(outline), [["set", "k", 1]]);
      seen.stop();
    },
  },
];
