import assert from "node:assert/strict";
import type { PageSelector, Store } from "@kv/core";
import { fill } from "../../assertions/contents.ts";
import { NASTY_KEYS } from "../../samples/nasty-keys.ts";
import type { Case } from "../../suite/chapter.ts";
import { selected } from "./selectors.ts";

const LETTERS = ["a", "b", "c", "d", "e", "f", "g"];

/** The keys of every page, one after the other. */
async function pages(store: Store, selector: PageSelector): Promise<string[][]> {
  const all: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = await store.page({ ...selector, cursor });
    all.push(page.entries.map(({ key }) => key));
    cursor = page.cursor;
    assert.ok(all.length <= 1000, "the pages come to no end");
  } while (cursor !== undefined);
  return all;
}

export const paging: readonly Case[] = [
  {
    title: "pages follow one another without a gap or a repetition, and the last has no cursor",
    async run({ store }) {
      await fill(store, LETTERS);
      assert.deepEqual(await pages(store, { limit: 3 }), [["a", "b", "c"], ["d", "e", "f"], ["g"]]);
      assert.deepEqual(await pages(store, { limit: 3, reverse: true }), [
        ["g", "f", "e"],
        ["d", "c", "b"],
        ["a"],
      ]);
      assert.deepEqual(
        await pages(store, { limit: 1 }),
        LETTERS.map((key) => [key]),
      );
    },
  },
  {
    title: "a page that ends exactly at the end has no cursor",
    async run({ store }) {
      await fill(store, LETTERS);
      const page = await store.page({ limit: 7 });
      assert.equal(page.entries.length, 7);
      assert.equal("cursor" in page, false);
      assert.equal("cursor" in (await store.page({ limit: 8 })), false);
      assert.deepEqual(await pages(store, { limit: 6, lt: "g" }), [["a", "b", "c", "d", "e", "f"]]);
    },
  },
  {
    title: "a page has 100 entries unless told otherwise, any number when told so, and none with the limit 0",
    async run({ store }) {
      const keys = Array.from({ length: 350 }, (_, position) => `k${String(position).padStart(3, "0")}`);
      await fill(store, keys);
      assert.equal((await store.page()).entries.length, 100);
      assert.deepEqual(
        (await pages(store, {})).map(({ length }) => length),
        [100, 100, 100, 50],
      );
      assert.equal((await store.page({ limit: Number.POSITIVE_INFINITY })).entries.length, 350);
      assert.deepEqual((await store.page({ limit: 0 })).entries, []);
    },
  },
  {
    title: "pages keep within the selector, forwards and backwards",
    async run({ store }) {
      await fill(store, LETTERS);
      assert.deepEqual(await pages(store, { gt: "a", lte: "f", limit: 2 }), [["b", "c"], ["d", "e"], ["f"]]);
      assert.deepEqual(await pages(store, { gte: "b", lt: "g", limit: 2, reverse: true }), [
        ["f", "e"],
        ["d", "c"],
        ["b"],
      ]);
    },
  },
  {
    title: "cursors hold every nasty key",
    async run({ store }) {
      await fill(store, NASTY_KEYS);
      for (const reverse of [false, true]) {
        assert.deepEqual(
          (await pages(store, { limit: 1, reverse })).flat(),
          selected(NASTY_KEYS, { reverse }),
        );
      }
      assert.deepEqual(
        (await pages(store, { limit: 2, prefix: "a" })).flat(),
        selected(NASTY_KEYS, { prefix: "a" }),
      );
    },
  },
  {
    title: "a cursor goes on where its page ended, whatever was written or deleted meanwhile",
    async run({ store }) {
      await fill(store, LETTERS);
      const { cursor } = await store.page({ limit: 3 });
      await store.deleteMany(["a", "c", "d"]);
      await store.setMany([
        ["aa", 1],
        ["ca", 1],
      ]);
      assert.deepEqual(
        (await store.page({ limit: 3, cursor })).entries.map(({ key }) => key),
        ["ca", "e", "f"],
      );
      assert.deepEqual(
        (await store.page({ limit: 9, cursor })).entries.map(({ key }) => key),
        ["ca", "e", "f", "g"],
      );
    },
  },
  {
    title: "a cursor may be used twice, by another store, and is a string",
    async run({ store, open }) {
      await fill(store, LETTERS);
      const { cursor } = await store.page({ limit: 2 });
      assert.equal(typeof cursor, "string");
      const other = open().store;
      for (const view of [store, other, store]) {
        assert.deepEqual(
          (await view.page({ limit: 2, cursor })).entries.map(({ key }) => key),
          ["c", "d"],
        );
      }
    },
  },
  {
    title: "a cursor survives a restart",
    requires: ({ reopen, capabilities }) =>
      reopen && capabilities.persistent ? undefined : "its data do not survive a restart",
    async run({ root, store, reopen }) {
      await fill(store, LETTERS);
      const forwards = (await store.page({ limit: 2 })).cursor;
      const backwards = (await store.page({ limit: 2, reverse: true })).cursor;
      await root.close();
      const later = (await reopen()).store;
      assert.deepEqual(
        (await later.page({ limit: 2, cursor: forwards })).entries.map(({ key }) => key),
        ["c", "d"],
      );
      const page = await later.page({ limit: 2, cursor: backwards, reverse: true });
      assert.deepEqual(
        page.entries.map(({ key }) => key),
        ["e", "d"],
      );
    },
  },
  {
    title: "what is no cursor is KV_INVALID_OPTION",
    async run({ store, refused }) {
      await fill(store, LETTERS);
      for (const cursor of ["", "a", "e30", "\0", 1, null, {}, "!!!"]) {
        await refused("KV_INVALID_OPTION", () => store.page({ cursor: cursor as string }), {
          operation: "page",
          says: "cursor",
        });
      }
      const { cursor } = await store.page({ limit: 2 });
      await refused("KV_INVALID_OPTION", () => store.page({ cursor, reverse: true }), {
        operation: "page",
        says: "cursor",
      });
    },
  },
];
