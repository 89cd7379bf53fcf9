import assert from "node:assert/strict";
import { contents } from "../../assertions/contents.ts";
import { inJson } from "../../suite/abilities.ts";
import type { Case } from "../../suite/chapter.ts";

class Point {
  readonly x: number = 1;
}
class Row extends Array<number> {}

function cycle(): unknown {
  const value: { self?: unknown } = {};
  value.self = value;
  return value;
}

/** Descriptions and values that JSON would not return equal. */
const UNEQUAL: readonly (readonly [what: string, value: unknown])[] = [
  ["undefined", undefined],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["-0", -0],
  ["a BigInt", 1n],
  ["a symbol", Symbol("s")],
  ["a function", () => 1],
  ["a Date", new Date(0)],
  ["a Map", new Map([["a", 1]])],
  ["a Set", new Set([1])],
  ["a RegExp", /a/],
  ["an Error", new Error("e")],
  ["a Promise", Promise.resolve(1)],
  ["a class instance", new Point()],
  ["an array of a class", Row.of(1)],
  ["a boxed string", Object("s")],
  ["a boxed number", Object(1)],
  ["an object without a prototype", Object.create(null)],
  ["an object that inherits", Object.create({ a: 1 })],
  ["an object with a symbol key", { [Symbol("s")]: 1 }],
  ["an array with a named property", Object.assign([1], { extra: 2 })],
  // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested
  ["a hole", [1, , 3]],
  ["a cycle", cycle()],
  ["a typed array", new Float64Array(1)],
  ["an ArrayBuffer", new ArrayBuffer(1)],
  ["an object with toJSON", { toJSON: () => 1 }],
];

export const jsonRefusals: readonly Case[] = UNEQUAL.map(
  ([what, value]): Case => ({
    title: `json refuses ${what}, at the top and inside, and writes nothing`,
    requires: inJson,
    async run({ store, refused }) {
      await store.set("k", "before");
      await refused("KV_INVALID_VALUE", () => store.set("k", value), {
        operation: "set",
        key: "k",
        says: "$",
      });
      await refused("KV_INVALID_VALUE", () => store.set("k", { user: { born: value } }), {
        key: "k",
        says: "$.user.born",
      });
      await refused("KV_INVALID_VALUE", () => store.set("k", ["a", { b: [value] }]), {
        key: "k",
        says: "$[1].b[0]",
      });
      assert.deepEqual(await contents(store), [["k", "before"]]);
    },
  }),
);

export const refusedWrites: readonly Case[] = [
  {
    title: "the path in a refusal quotes names that are no identifiers",
    async run({ store, refused }) {
      await refused("KV_INVALID_VALUE", () => store.set("k", { "a b": { "c.d": () => 1 } }), {
        says: '$["a b"]["c.d"]',
      });
    },
  },
  {
    title: "every way to write refuses a value that would not come back, and writes nothing",
    async run({ store, refused }) {
      const revision = await store.set("k", "before");
      const bad = { at: () => 1 };
      await refused(
        "KV_INVALID_VALUE",
        () =>
          store.setMany([
            ["a", 1],
            ["k", bad],
          ]),
        { operation: "setMany", key: "k" },
      );
      await refused("KV_INVALID_VALUE", () => store.create("a", bad), { operation: "create", key: "a" });
      await refused("KV_INVALID_VALUE", () => store.setCache("a", bad), { operation: "setCache", key: "a" });
      await refused("KV_INVALID_VALUE", () => store.replace("k", bad, { revision }), {
        operation: "replace",
        key: "k",
      });
      await refused("KV_INVALID_VALUE", () => store.update("k", () => bad), {
        operation: "update",
        key: "k",
      });
      await refused("KV_INVALID_VALUE", () => store.atomic().set("a", 1).set("k", bad).commit(), {
        key: "k",
      });
      await refused("KV_INVALID_VALUE", () =>
        store.transaction((tx) => {
          tx.set("a", 1);
          tx.set("k", bad);
        }),
      );
      assert.deepEqual(await contents(store), [["k", "before"]]);
    },
  },
  {
    title: "a value nested beyond all measure is refused, and no stack overflows",
    async run({ store, refused }) {
      let value: unknown = 1;
      for (let level = 0; level < 100_000; level++) value = [value];
      await refused("KV_INVALID_VALUE", () => store.set("k", value), { key: "k" });
      assert.equal(await store.has("k"), false);
    },
  },
  {
    title:
      "user metadata that is no object, or that JSON would not give back equal, is refused, and nothing is written",
    async run({ store, refused }) {
      for (const metadata of [{ at: new Date(0) }, { n: Number.NaN }, { u: undefined }]) {
        await refused("KV_INVALID_VALUE", () => store.set("k", 1, { metadata }), {
          operation: "set",
          says: "$",
        });
      }
      for (const metadata of ["text", [1], null, 5]) {
        await refused("KV_INVALID_OPTION", () => store.set("k", 1, { metadata: metadata as never }), {
          operation: "set",
        });
      }
      assert.equal(await store.has("k"), false);
    },
  },
];
