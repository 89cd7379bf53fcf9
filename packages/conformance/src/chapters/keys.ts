import assert from "node:assert/strict";
import { compareKeys, MAX_KEY_BYTES, type Store, utf8Length } from "@kv/core";
import { recorder } from "../assertions/between-store-and-adapter.ts";
import { collect, contents, fill } from "../assertions/contents.ts";
import { OPERATIONS } from "../model/random-operations.ts";
import { NASTY_KEYS } from "../samples/nasty-keys.ts";
import type { Case, Chapter } from "../suite/chapter.ts";

const ILL_FORMED = ["\ud800", "\udfff", "a\ud83d", "\ude00a", "a\ud800b", "\ude00\ud83d"];
const NO_STRINGS: unknown[] = [
  undefined,
  null,
  0,
  1n,
  true,
  Symbol("k"),
  {},
  [],
  ["k"],
  Object("k"),
  () => "k",
  new Date(),
];

const meaning: readonly Case[] = [
  {
    title: "every well-formed string is a key and means itself",
    async run({ store }) {
      await fill(store, NASTY_KEYS);
      for (const [position, key] of NASTY_KEYS.entries()) {
        assert.equal(await store.get(key), position, JSON.stringify(key));
      }
      assert.deepEqual(await store.getMany(NASTY_KEYS), [...NASTY_KEYS.keys()]);
      assert.equal(await store.count(), NASTY_KEYS.length);
    },
  },
  {
    title: "a key that was not written is absent, whatever else it might be called",
    async run({ store }) {
      for (const key of NASTY_KEYS) assert.equal(await store.has(key), false, JSON.stringify(key));
      assert.deepEqual(
        await store.getMany(NASTY_KEYS),
        NASTY_KEYS.map(() => undefined),
      );
    },
  },
  {
    title: "deleting one key leaves every other",
    async run({ store }) {
      await fill(store, NASTY_KEYS);
      for (const [position, key] of NASTY_KEYS.entries()) {
        assert.equal(await store.delete(key), true, JSON.stringify(key));
        assert.equal(await store.count(), NASTY_KEYS.length - position - 1, JSON.stringify(key));
      }
    },
  },
  {
    title:
      "NFC and NFD, upper and lower case, and what a collation or number format takes for equal are different keys",
    async run({ store }) {
      const pairs = [
        ["é", "e\u0301"],
        ["A", "a"],
        ["Å", "\u212b"],
        ["ß", "SS"],
        ["1", "01"],
        ["1", "1.0"],
        ["a", "a "],
        ["a", "a\0"],
        ["ﬁ", "fi"],
        ["İ", "i"],
      ] as const;
      for (const [one, other] of pairs) {
        await store.set(one, "one");
        assert.equal(await store.get(other), undefined, JSON.stringify([one, other]));
        await store.set(other, "other");
        assert.equal(await store.get(one), "one", JSON.stringify([one, other]));
        await store.clear();
      }
    },
  },
  {
    title: "keys named like members of Object.prototype are keys",
    async run({ store }) {
      for (const key of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
        await store.set(key, { admin: true });
        assert.deepEqual(await store.get(key), { admin: true });
        const result = await store.atomic().set(key, 1).commit();
        assert.ok(result.ok && typeof result.revisions.get(key) === "string", key);
      }
      assert.equal(({} as { admin?: boolean }).admin, undefined);
    },
  },
];

const length: readonly Case[] = [
  {
    title: "a key of exactly 1,024 UTF-8 bytes is accepted everywhere, the scope's prefix counted",
    async run({ store, prefix }) {
      const bytes = MAX_KEY_BYTES - utf8Length(prefix);
      for (const character of ["a", "é", "€", "👩"]) {
        const times = Math.floor(bytes / utf8Length(character));
        const key = character
          .repeat(times)
          .padEnd(character.length * times + (bytes - times * utf8Length(character)), "x");
        assert.equal(utf8Length(key), bytes);
        await store.set(key, character);
        assert.equal(await store.get(key), character);
        assert.deepEqual(await collect(store.keys({ gte: key })), [key]);
        assert.deepEqual(await store.range(key), [[key, character]]);
        assert.equal(await store.delete(key), true);
      }
    },
  },
  {
    title: "a key of 1,025 UTF-8 bytes is KV_INVALID_KEY, however few characters it has",
    async run({ store, prefix, refused }) {
      const bytes = MAX_KEY_BYTES - utf8Length(prefix);
      for (const character of ["a", "é", "€", "👩"]) {
        const times = Math.floor(bytes / utf8Length(character)) + 1;
        await refused("KV_INVALID_KEY", () => store.set(character.repeat(times), 1), {
          operation: "set",
          says: "1024",
        });
      }
      await refused("KV_INVALID_KEY", () => store.get("k".repeat(1_000_000)), { operation: "get" });
      assert.deepEqual(await contents(store), []);
    },
  },
  {
    title: "the prefixes of scopes in scopes count towards a key's length",
    async run({ store, prefix, refused }) {
      const scoped = store.scope("x".repeat(100)).scope("é".repeat(100));
      const bytes = MAX_KEY_BYTES - utf8Length(prefix) - 101 - 201;
      await scoped.set("k".repeat(bytes), 1);
      await refused("KV_INVALID_KEY", () => scoped.set("k".repeat(bytes + 1), 1));
      assert.equal(await store.count(), 1);
    },
  },
];

async function refusedEverywhere(
  store: Store,
  key: unknown,
  refused: (
    code: "KV_INVALID_KEY",
    call: () => unknown,
    expected: { operation?: string; key?: string },
  ) => Promise<void>,
): Promise<void> {
  for (const { name, takesKey, call } of OPERATIONS) {
    // The table of operations takes these two for "no key given".
    if (!takesKey || key === undefined || key === null) continue;
    const named = typeof key === "string" ? { key } : {};
    const where = name === "commit" || name === "transaction" ? {} : { operation: name };
    await refused("KV_INVALID_KEY", () => call(store, undefined, key as string), { ...named, ...where });
  }
}

const refusals: readonly Case[] = [
  {
    title: "an empty key is KV_INVALID_KEY in every operation, before anything reaches the backend",
    async run({ open, refused }) {
      const { calls, between } = recorder();
      const { store } = open({}, between);
      await refusedEverywhere(store, "", refused);
      assert.deepEqual(
        calls.filter((call) => call !== "open"),
        [],
      );
    },
  },
  {
    title:
      "a key with a lone surrogate is KV_INVALID_KEY in every operation, before anything reaches the backend",
    async run({ open, refused }) {
      const { calls, between } = recorder();
      const { store } = open({}, between);
      for (const key of ILL_FORMED) await refusedEverywhere(store, key, refused);
      assert.deepEqual(
        calls.filter((call) => call !== "open"),
        [],
      );
    },
  },
  {
    title:
      "a key that is no string is KV_INVALID_KEY in every operation, before anything reaches the backend",
    async run({ open, refused }) {
      const { calls, between } = recorder();
      const { store } = open({}, between);
      for (const key of NO_STRINGS) {
        await refusedEverywhere(store, key, refused);
        await refused("KV_INVALID_KEY", () => store.get(key as never), { operation: "get" });
        await refused("KV_INVALID_KEY", () => store.set(key as never, 1), { operation: "set" });
        await refused("KV_INVALID_KEY", () => store.delete(key as never), { operation: "delete" });
      }
      assert.deepEqual(
        calls.filter((call) => call !== "open"),
        [],
      );
    },
  },
  {
    title: "one invalid key refuses its whole batch, nothing written",
    async run({ store, refused }) {
      await store.set("kept", 1);
      await refused("KV_INVALID_KEY", () => store.getMany(["kept", ""]), { operation: "getMany" });
      await refused(
        "KV_INVALID_KEY",
        () =>
          store.setMany([
            ["a", 1],
            ["\ud800", 2],
            ["b", 3],
          ]),
        { operation: "setMany" },
      );
      await refused("KV_INVALID_KEY", () => store.deleteMany(["kept", "", "a"]), { operation: "deleteMany" });
      await refused("KV_INVALID_KEY", () => store.atomic().set("a", 1).delete("").commit());
      await refused("KV_INVALID_KEY", () => store.atomic().set("a", 1).check("", null).commit());
      assert.deepEqual(await contents(store), [["kept", 1]]);
    },
  },
];

const order: readonly Case[] = [
  {
    title: "keys are in the order of their UTF-8 bytes",
    async run({ store }) {
      await fill(store, NASTY_KEYS);
      const expected = NASTY_KEYS.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.deepEqual(await collect(store.keys()), expected);
      assert.deepEqual(await collect(store.keys({ reverse: true })), expected.toReversed());
      assert.deepEqual(NASTY_KEYS.toSorted(compareKeys), expected);
    },
  },
  {
    title: "U+FFFF comes before U+10000, as in UTF-8 and not as in UTF-16",
    async run({ store }) {
      await fill(store, ["\u{10000}", "\uffff", "\ue000", "\ud7ff", "\u{10ffff}", "a\u{1f600}", "a\ufffd"]);
      const expected = ["a\ufffd", "a\u{1f600}", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"];
      assert.deepEqual(await collect(store.keys()), expected);
      assert.deepEqual(await collect(store.keys({ gt: "\uffff" })), ["\u{10000}", "\u{10ffff}"]);
      assert.deepEqual(await collect(store.keys({ lt: "\u{10000}", gte: "\ue000" })), ["\ue000", "\uffff"]);
    },
  },
  {
    title: "a key comes before the keys that it begins",
    async run({ store }) {
      await fill(store, ["aa", "a\0\0", "b", "a", "a!", "a\0", "a\uffff"]);
      assert.deepEqual(await collect(store.keys()), ["a", "a\0", "a\0\0", "a!", "aa", "a\uffff", "b"]);
    },
  },
  {
    title: "capital letters come before small ones, and digits are no numbers",
    async run({ store }) {
      await fill(store, ["a", "B", "b", "A", "10", "9", "1", "é", "z"]);
      assert.deepEqual(await collect(store.keys()), ["1", "10", "9", "A", "B", "a", "b", "z", "é"]);
    },
  },
];

export const keys: Chapter = { title: "keys", cases: [...meaning, ...length, ...refusals, ...order] };
