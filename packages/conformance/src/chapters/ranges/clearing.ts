import assert from "node:assert/strict";
import { collect, contents, fill } from "../../assertions/contents.ts";
import { NASTY_KEYS } from "../../samples/nasty-keys.ts";
import type { Case } from "../../suite/chapter.ts";
import { selected } from "./selectors.ts";

const LETTERS = ["a", "aa", "ab", "b", "ba", "c"];

export const clearing: readonly Case[] = [
  {
    title: "clear removes everything in the view and tells how many that were",
    async run({ store }) {
      await fill(store, LETTERS);
      assert.equal(await store.clear(), 6);
      assert.equal(await store.clear(), 0);
      assert.deepEqual(await contents(store), []);
    },
  },
  {
    title: "clear of a selector removes what the selector names and nothing else",
    async run({ store }) {
      for (const selector of [
        { prefix: "a" },
        { gt: "a", lt: "c" },
        { gte: "b" },
        { lte: "ab" },
        { prefix: "b", gt: "b" },
        { prefix: "x" },
        { gt: "c" },
        { lt: "a" },
        { gte: "c", lt: "a" },
      ]) {
        await fill(store, LETTERS);
        const named = selected(LETTERS, selector);
        assert.equal(await store.clear(selector), named.length, JSON.stringify(selector));
        assert.deepEqual(
          await collect(store.keys()),
          LETTERS.filter((key) => !named.includes(key)),
          JSON.stringify(selector),
        );
        await store.clear();
      }
    },
  },
  {
    title: "clear with a limit removes so many from the beginning, or with reverse from the end",
    async run({ store }) {
      await fill(store, LETTERS);
      assert.equal(await store.clear({ limit: 0 }), 0);
      assert.equal(await store.clear({ limit: 2 }), 2);
      assert.equal(await store.clear({ limit: 1, reverse: true }), 1);
      assert.deepEqual(await collect(store.keys()), ["ab", "b", "ba"]);
      assert.equal(await store.clear({ limit: 9, prefix: "b" }), 2);
      assert.deepEqual(await collect(store.keys()), ["ab"]);
    },
  },
  {
    title: "clear of a prefix never touches a sibling, whatever pattern the prefix looks like",
    async run({ store }) {
      for (const prefix of ["a", "*", "a*", "%", "_", "?", "[a]", "\\", "a:", "\0", "é", "\uffff", "{a}"]) {
        await store.clear();
        await fill(store, NASTY_KEYS);
        const named = selected(NASTY_KEYS, { prefix });
        assert.equal(await store.clear({ prefix }), named.length, prefix);
        assert.deepEqual(
          await collect(store.keys()),
          selected(
            NASTY_KEYS.filter((key) => !named.includes(key)),
            {},
          ),
          prefix,
        );
      }
    },
  },
  {
    title: "clear of a scope never touches a sibling scope: a beside ab, b, A and a key named a",
    async run({ store }) {
      const scopes = ["a", "ab", "b", "A", "a*", "a\0", "*", "%", "_", "a:a"];
      for (const cleared of scopes) {
        for (const name of scopes)
          await store.scope(name).setMany([
            ["k", name],
            ["l", name],
          ]);
        await fill(store, ["a", "a;", "a9", "ab"]);
        const expected = (await contents(store)).filter(([key]) => !key.startsWith(`${cleared}:`));
        await store.scope(cleared).clear();
        assert.deepEqual(await contents(store), expected, cleared);
      }
    },
  },
  {
    title: "clear leaves other namespaces alone, above, beside and below",
    async run({ store }) {
      const inside = store.namespace("n");
      const others = [
        store,
        store.namespace("n2"),
        store.namespace("N"),
        store.namespace("n", "below"),
        store.namespace("m", "n"),
        store.namespace("n/"),
        store.namespace("n*"),
      ];
      for (const view of [inside, ...others]) await fill(view, ["k", "n"]);
      assert.equal(await inside.clear(), 2);
      assert.equal(await inside.count(), 0);
      for (const view of others) assert.equal(await view.count(), 2);
    },
  },
  {
    title: "a cleared key can be written again, and is a new one",
    async run({ store }) {
      const old = await store.set("k", 1);
      await store.clear();
      assert.equal(await store.has("k"), false);
      const revision = await store.create("k", 1);
      assert.notEqual(revision, undefined);
      assert.notEqual(revision, old);
    },
  },
  {
    title: "clear with a cursor or an unknown option is KV_INVALID_OPTION, and removes nothing",
    async run({ store, refused }) {
      await fill(store, LETTERS);
      await refused("KV_INVALID_OPTION", () => store.clear({ cursor: "x" } as never), {
        operation: "clear",
        says: "cursor",
      });
      await refused("KV_INVALID_OPTION", () => store.clear({ prefx: "a" } as never), {
        operation: "clear",
        says: "prefx",
      });
      await refused("KV_INVALID_OPTION", () => store.clear("a" as never), { operation: "clear" });
      await refused("KV_INVALID_OPTION", () => store.clearCache({ prefix: "a" } as never), {
        operation: "clearCache",
      });
      assert.equal(await store.count(), 6);
    },
  },
];
