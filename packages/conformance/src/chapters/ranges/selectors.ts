import assert from "node:assert/strict";
import { compareKeys, type Selector } from "@kv/core";
import fc from "fast-check";
import { collect, contents, fill } from "../../assertions/contents.ts";
import { NASTY_KEYS } from "../../samples/nasty-keys.ts";
import type { Case } from "../../suite/chapter.ts";
import { inTime, runs } from "../../suite/property.ts";

const SOME = ["", "a", "aa", "ab", "a\0", "a:b", "b", "é", "\uffff", "\u{10000}", "zz"];
const LETTERS = ["a", "aa", "ab", "b", "ba", "c"];

/** The keys that a selector names, computed in the plainest way. */
export function selected(
  keys: readonly string[],
  { prefix = "", gt, gte, lt, lte, reverse, limit }: Selector,
): string[] {
  const found = keys
    .filter(
      (key) =>
        key.startsWith(prefix) &&
        (gt === undefined || compareKeys(key, gt) > 0) &&
        (gte === undefined || compareKeys(key, gte) >= 0) &&
        (lt === undefined || compareKeys(key, lt) < 0) &&
        (lte === undefined || compareKeys(key, lte) <= 0),
    )
    .sort(compareKeys);
  return (reverse ? found.reverse() : found).slice(0, limit);
}

/** Any selector with bounds near the existing keys. */
function anySelector(): fc.Arbitrary<Selector> {
  const bound = fc.option(
    fc.oneof(
      fc.constantFrom(...SOME, ...NASTY_KEYS),
      fc.string({ unit: "binary", maxLength: 3 }).filter((text) => text.isWellFormed()),
    ),
    { nil: undefined, freq: 2 },
  );
  return fc.record({
    prefix: fc.option(
      fc.constantFrom("", "a", ":", "\0", "é", "\uffff", "\u{10000}", "\u{10ffff}", "a\uffff", "%", "*"),
      { nil: undefined },
    ),
    gt: bound,
    gte: bound,
    lt: bound,
    lte: bound,
    reverse: fc.boolean(),
    limit: fc.option(fc.nat(8), { nil: undefined }),
  });
}

export const selectors: readonly Case[] = [
  {
    title: "bounds are exclusive or inclusive as they say, and intersect",
    async run({ store }) {
      await fill(store, LETTERS);
      const matrix: readonly (readonly [Selector, string[]])[] = [
        [{}, LETTERS],
        [{ gt: "ab" }, ["b", "ba", "c"]],
        [{ gte: "ab" }, ["ab", "b", "ba", "c"]],
        [{ lt: "b" }, ["a", "aa", "ab"]],
        [{ lte: "b" }, ["a", "aa", "ab", "b"]],
        [{ gt: "a", lt: "c" }, ["aa", "ab", "b", "ba"]],
        [{ gte: "aa", lte: "ba" }, ["aa", "ab", "b", "ba"]],
        [{ gt: "a", gte: "ab" }, ["ab", "b", "ba", "c"]],
        [{ gt: "b", gte: "aa" }, ["ba", "c"]],
        [{ lt: "b", lte: "c" }, ["a", "aa", "ab"]],
        [{ prefix: "a" }, ["a", "aa", "ab"]],
        [{ prefix: "a", gt: "a" }, ["aa", "ab"]],
        [{ prefix: "b", lt: "ba" }, ["b"]],
        [{ prefix: "a", gte: "b" }, []],
        [{ prefix: "x" }, []],
        [{ gt: "b", lt: "b" }, []],
        [{ gte: "b", lte: "b" }, ["b"]],
        [{ gte: "b", lt: "b" }, []],
        [{ gte: "c", lte: "a" }, []],
        [{ gt: "aaa", lt: "aaz" }, []],
      ];
      for (const [selector, expected] of matrix) {
        const what = JSON.stringify(selector);
        assert.deepEqual(await collect(store.keys(selector)), expected, what);
        assert.deepEqual(
          await collect(store.keys({ ...selector, reverse: true })),
          expected.toReversed(),
          what,
        );
        assert.equal(await store.count(selector), expected.length, what);
        assert.deepEqual(
          (await store.page(selector)).entries.map(({ key }) => key),
          expected,
          what,
        );
      }
    },
  },
  {
    title: "empty bounds and prefixes are strings like any other",
    async run({ store }) {
      await fill(store, LETTERS);
      for (const selector of [{ prefix: "" }, { gt: "" }, { gte: "" }, { prefix: "", gte: "" }]) {
        assert.deepEqual(await collect(store.keys(selector)), LETTERS, JSON.stringify(selector));
      }
      for (const selector of [{ lt: "" }, { lte: "" }])
        assert.deepEqual(await collect(store.keys(selector)), []);
      assert.equal((await store.range("")).length, LETTERS.length);
    },
  },
  {
    title: "any selector over nasty keys gives what the plainest reading of it gives",
    async run({ store }) {
      await fill(store, NASTY_KEYS);
      const values = new Map(NASTY_KEYS.map((key, position) => [key, position]));
      await fc.assert(
        fc.asyncProperty(
          anySelector(),
          inTime(async (selector) => {
            const expected = selected(NASTY_KEYS, selector);
            assert.deepEqual(await collect(store.keys(selector)), expected);
            assert.deepEqual(
              await collect(store.values(selector)),
              expected.map((key) => values.get(key)),
            );
            assert.equal(await store.count(selector), expected.length);
            assert.deepEqual(
              (await store.page(selector)).entries.map(({ key }) => key),
              expected.slice(0, 100),
            );
          }),
        ),
        runs(60),
      );
    },
  },
  {
    title: "every nasty key as a prefix selects what begins with it, and as a bound what lies beside it",
    async run({ store }) {
      await fill(store, NASTY_KEYS);
      for (const key of NASTY_KEYS) {
        assert.deepEqual(
          await collect(store.keys({ prefix: key })),
          selected(NASTY_KEYS, { prefix: key }),
          JSON.stringify(key),
        );
        assert.deepEqual(await collect(store.keys({ gte: key, lte: key })), [key]);
        assert.deepEqual(
          await collect(store.keys({ gt: key, limit: 1 })),
          selected(NASTY_KEYS, { gt: key, limit: 1 }),
        );
        assert.deepEqual(
          await collect(store.keys({ lt: key, limit: 1, reverse: true })),
          selected(NASTY_KEYS, { lt: key, limit: 1, reverse: true }),
        );
      }
    },
  },
  {
    title: "a prefix is no pattern",
    async run({ store }) {
      await fill(store, ["a*b", "axb", "a%b", "a_b", "a?b", "a[x]b", "a{x}b", "a\\b", "a.b", "A*B"]);
      for (const prefix of ["a*", "a%", "a_", "a?", "a[x]", "a{x}", "a\\", "a."]) {
        assert.deepEqual(await collect(store.keys({ prefix })), [`${prefix}b`], prefix);
        assert.equal(await store.count({ prefix }), 1, prefix);
        assert.deepEqual(
          (await store.range(prefix)).map(([key]) => key),
          [`${prefix}b`],
          prefix,
        );
      }
      assert.deepEqual(await collect(store.keys({ prefix: "*" })), []);
      assert.deepEqual(await collect(store.keys({ prefix: "%" })), []);
    },
  },
  {
    title: "a prefix or bound at the last code point has no end that could be missed",
    async run({ store }) {
      const keys = ["a", "\u{10ffff}", "\u{10ffff}a", "\u{10ffff}\u{10ffff}", "\u{10ffff}\u{10ffff}z"];
      await fill(store, keys);
      assert.deepEqual(
        await collect(store.keys({ prefix: "\u{10ffff}" })),
        selected(keys, { prefix: "\u{10ffff}" }),
      );
      assert.deepEqual(await collect(store.keys({ prefix: "\u{10ffff}\u{10ffff}" })), keys.slice(3));
      assert.equal(await store.clear({ prefix: "\u{10ffff}" }), 4);
      assert.deepEqual(await contents(store), [["a", 0]]);
    },
  },
  {
    title: "a prefix ending in U+D7FF selects nothing of U+E000, between which are no characters",
    async run({ store }) {
      await fill(store, ["\ud7ff", "\ud7ffa", "\ue000"]);
      assert.deepEqual(await collect(store.keys({ prefix: "\ud7ff" })), ["\ud7ff", "\ud7ffa"]);
    },
  },
  {
    title:
      "limit takes so many from the beginning, of a reverse range from the end; 0 is none and Infinity all",
    async run({ store }) {
      await fill(store, LETTERS);
      assert.deepEqual(await collect(store.keys({ limit: 2 })), ["a", "aa"]);
      assert.deepEqual(await collect(store.keys({ limit: 2, reverse: true })), ["c", "ba"]);
      assert.deepEqual(await collect(store.keys({ limit: 0 })), []);
      assert.deepEqual(await collect(store.keys({ limit: -0 })), []);
      assert.deepEqual(await collect(store.keys({ limit: Number.POSITIVE_INFINITY })), LETTERS);
      assert.deepEqual(await collect(store.values({ limit: 2, gt: "a" })), [1, 2]);
      assert.deepEqual(
        (await collect(store.entries({ limit: 1, gt: "a" }))).map(({ key }) => key),
        ["aa"],
      );
      assert.deepEqual(await store.range("a", undefined, { limit: 1 }), [["a", 0]]);
      assert.equal(await store.count({ limit: 4 }), 4);
      assert.equal(await store.count({ limit: 0 }), 0);
      assert.equal(await store.count({ limit: 99 }), 6);
    },
  },
  {
    title: "a limit that is no count is KV_INVALID_OPTION",
    async run({ store, refused }) {
      for (const limit of [-1, 1.5, Number.NaN, Number.NEGATIVE_INFINITY, "2", null, 2n, true, {}]) {
        const selector = { limit: limit as number };
        await refused("KV_INVALID_OPTION", () => store.keys(selector).next(), {
          operation: "keys",
          says: "limit",
        });
        await refused("KV_INVALID_OPTION", () => store.values(selector).next(), { operation: "values" });
        await refused("KV_INVALID_OPTION", () => store.entries(selector).next(), { operation: "entries" });
        await refused("KV_INVALID_OPTION", () => store.range("", undefined, selector), {
          operation: "range",
        });
        await refused("KV_INVALID_OPTION", () => store.page(selector), { operation: "page" });
        await refused("KV_INVALID_OPTION", () => store.count(selector), { operation: "count" });
        await refused("KV_INVALID_OPTION", () => store.clear(selector), { operation: "clear" });
      }
    },
  },
  {
    title: "a bound or prefix that is no well-formed string, and a reverse that is no boolean, are refused",
    async run({ store, refused }) {
      for (const name of ["prefix", "gt", "gte", "lt", "lte"]) {
        for (const bound of [1, null, {}, ["a"], "\ud800", "a\udc00"]) {
          await refused("KV_INVALID_OPTION", () => store.keys({ [name]: bound }).next(), {
            operation: "keys",
            says: name,
          });
          await refused("KV_INVALID_OPTION", () => store.clear({ [name]: bound }), {
            operation: "clear",
            says: name,
          });
        }
      }
      await refused("KV_INVALID_OPTION", () => store.keys({ reverse: 1 as never }).next(), {
        operation: "keys",
        says: "reverse",
      });
    },
  },
];
