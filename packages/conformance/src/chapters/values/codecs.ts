import assert from "node:assert/strict";
import { type Codec, type CreateStoreOptions, json, KvError, structured } from "@kv/core";
import { collect, contents } from "../../assertions/contents.ts";
import { JSON_SAMPLES } from "../../samples/json-samples.ts";
import type { Case } from "../../suite/chapter.ts";
import { rejectionOf } from "../../suite/refusal.ts";

/** JSON backwards, which no other codec can decode. */
const backwards: Codec = {
  name: "backwards",
  encode: (value) => [...JSON.stringify(value)].reverse().join(""),
  decode: (payload) => JSON.parse([...String(payload)].reverse().join("")),
};

/** A codec whose payloads are bytes. */
const packed: Codec = {
  name: "packed.v1",
  encode: (value) => new TextEncoder().encode(JSON.stringify(value)).map((byte) => byte ^ 0xff),
  decode: (payload) =>
    JSON.parse(new TextDecoder().decode((payload as Uint8Array).map((byte) => byte ^ 0xff))),
};

function cyclic(): unknown {
  const value: { name: string; self?: unknown } = { name: "ouroboros" };
  value.self = value;
  return value;
}

const STRUCTURED: readonly unknown[] = [
  new Date(0),
  new Date(1_700_000_000_123),
  new Map<unknown, unknown>([
    ["a", 1],
    [{ k: 1 }, new Set([1])],
  ]),
  new Set([1, "a", null]),
  10n ** 30n,
  -1n,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -0,
  /a+/gi,
  [undefined, 1],
  { a: undefined, b: 1 },
  new Float64Array([1.5, -0]),
  new Uint16Array([1, 65535]),
  new BigInt64Array([-1n]),
  [new Uint8Array([1, 2])],
  { nested: { date: new Date(5), map: new Map([["deep", new Date(6)]]) } },
];

/** Values that a careless codec would silently return as something else. */
const EQUAL_OR_REFUSED: readonly (readonly [what: string, value: unknown])[] = [
  ["an array with a named property", Object.assign([1], { extra: 2 })],
  ["an instance of a subclass of Map", new (class Index extends Map<string, number> {})([["a", 1]])],
  ["an instance of a subclass of Date", new (class Day extends Date {})(0)],
  ["an instance of a subclass of Array", new (class Row extends Array<number> {})(1, 2)],
  ["a part of a larger array", new Float64Array([1, 2, 3, 4]).subarray(1, 3)],
  ["an invalid Date", new Date(Number.NaN)],
  // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested
  ["a hole", [1, , 3]],
  ["an object without a prototype", Object.assign(Object.create(null), { a: 1 })],
  ["an own property named __proto__", JSON.parse('{"__proto__":1}')],
  ["a lone surrogate", "\ud800"],
];

const changed: readonly (readonly [from: CreateStoreOptions, to: CreateStoreOptions, title: string])[] = [
  [{ codec: json }, { codec: structured }, "json to structured"],
  [{ codec: structured }, { codec: json }, "structured to json"],
  [{ codec: json }, { codec: backwards }, "json to one's own"],
  [{ codec: backwards }, { codec: json, codecs: [backwards] }, "one's own to json, the old one still listed"],
  [
    { codec: packed },
    { codec: structured, codecs: [packed] },
    "one of bytes to structured, the old one still listed",
  ],
];

export const codecs: readonly Case[] = [
  ...changed.map(
    ([from, to, title]): Case => ({
      title: `changing the codec leaves old entries readable: ${title}`,
      async run({ open }) {
        const before = open(from).store;
        await before.setMany([
          ["a", { old: [1] }],
          ["x", new Uint8Array([1])],
          ["n", 5],
        ]);
        const after = open(to).store;
        assert.deepEqual(await after.getMany(["a", "x", "n"]), [{ old: [1] }, new Uint8Array([1]), 5]);
        await after.set("b", { new: [2] });
        assert.deepEqual(await after.range("", "c"), [
          ["a", { old: [1] }],
          ["b", { new: [2] }],
        ]);
        assert.equal(await after.update("n", (n) => Number(n) + 1), 6);
      },
    }),
  ),
  {
    title:
      "the structured codec gives back dates, maps, sets, big integers, typed arrays, patterns, undefined and cycles",
    async run({ open }) {
      const { store } = open({ codec: structured });
      for (const value of [...STRUCTURED, ...JSON_SAMPLES.filter((sample) => !hasOwnProto(sample))]) {
        await store.set("k", value);
        assert.deepEqual(await store.get("k"), value);
      }
      await store.set("k", cyclic());
      const read = (await store.get("k")) as { self: unknown; name: string };
      assert.equal(read.self, read);
      assert.equal(read.name, "ouroboros");
    },
  },
  {
    title: "the structured codec refuses what it cannot give back, and writes nothing",
    async run({ open, refused }) {
      const { store } = open({ codec: structured });
      class Point {}
      for (const value of [() => 1, Symbol("s"), new Point(), { a: [new Point()] }, undefined]) {
        await refused("KV_INVALID_VALUE", () => store.set("k", value), { operation: "set", key: "k" });
      }
      assert.deepEqual(await contents(store), []);
    },
  },
  ...EQUAL_OR_REFUSED.map(
    ([what, value]): Case => ({
      title: `the structured codec gives back ${what} equal, or refuses it`,
      async run({ open }) {
        const { store } = open({ codec: structured });
        try {
          await store.set("k", value);
        } catch (error) {
          assert.ok(KvError.is(error, "KV_INVALID_VALUE"), String(error));
          return;
        }
        assert.deepEqual(await store.get("k"), value);
      },
    }),
  ),
  {
    title: "a caller's own codec writes and reads, as text and as bytes",
    async run({ open }) {
      for (const codec of [backwards, packed]) {
        const { store } = open({ codec });
        await store.setMany([
          ["a", { list: [1, "é"] }],
          ["b", null],
          ["bytes", new Uint8Array([1, 2])],
        ]);
        assert.deepEqual(await contents(store), [
          ["a", { list: [1, "é"] }],
          ["b", null],
          ["bytes", new Uint8Array([1, 2])],
        ]);
        await store.clear();
      }
    },
  },
  {
    title: "a codec that throws refuses the value, and what it threw is the cause",
    async run({ open }) {
      const failure = new Error("not today");
      const { store } = open({
        codec: {
          ...backwards,
          encode: () => {
            throw failure;
          },
        },
      });
      const error = await rejectionOf(() => store.set("k", 1));
      assert.ok(KvError.is(error, "KV_INVALID_VALUE"), String(error));
      assert.equal(error.cause, failure);
      assert.equal(await store.has("k"), false);
    },
  },
  {
    title: "an entry of a codec that the store does not know is KV_CORRUPT, naming key and codec",
    async run({ open, refused }) {
      const writer = open({ codec: backwards }).store;
      await writer.set("strange", 1);
      await writer.set("bytes", new Uint8Array([1]));
      const { store } = open();
      await refused("KV_CORRUPT", () => store.get("strange"), {
        operation: "get",
        key: "strange",
        says: "backwards",
      });
      assert.deepEqual(await store.get("bytes"), new Uint8Array([1]));
      assert.deepEqual(await collect(store.keys()), ["bytes", "strange"]);
    },
  },
  {
    title: "two codecs of one name are refused",
    async run({ open }) {
      const impostor: Codec = { ...backwards, name: "json" };
      for (const options of [{ codec: impostor }, { codec: backwards, codecs: [{ ...backwards }] }]) {
        assert.throws(
          () => open(options),
          (error: unknown) => KvError.is(error, "KV_INVALID_OPTION"),
        );
      }
    },
  },
];

function hasOwnProto(value: unknown): boolean {
  return JSON.stringify(value).includes("__proto__");
}
