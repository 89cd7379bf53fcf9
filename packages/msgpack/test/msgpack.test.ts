import { strict as assert } from "node:assert";
import { runInNewContext } from "node:vm";
import { createStore, json, KvError, Refusal, structured } from "@kv/core";
import { memory } from "@kv/memory";
import { msgpack } from "@kv/msgpack";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const back = (value: unknown): unknown => msgpack.decode(msgpack.encode(value));

function cycle(): unknown {
  const map = new Map<string, unknown>();
  map.set("self", { map });
  return map;
}

const refused: [path: string, value: unknown][] = [
  ["$", -0],
  ["$.list[1]", { list: [1, -0] }],
  // biome-ignore lint/suspicious/noSparseArray: a hole is what this is about
  ["$.a", { a: [1, , 3] }],
  ["$.values()[0].map", cycle()],
  ["$.a", { a: Object.assign(Object.create(null), { b: 1 }) }],
  ["$", JSON.parse('{"__proto__": 1}')],
  ["$.at", { at: new URL("https://example.org") }],
  ["$[0]", [Object(1)]],
  ["$[0]", [Object(1n)]],
  ["$.keys()[0]", new Map([["\ud800", 1]])],
  ["$", { "\ud800": 1 }],
  ["$.error", { error: new Error("x") }],
  ["$.f", { f: () => 1 }],
  ["$", new (class Point {})()],
  ['$["a b"][0]', { "a b": [Symbol("s")] }],
];

/** Names that serializers trip over. */
const names = fc.oneof(
  fc.string({ unit: "binary" }).filter((name) => name !== "__proto__"),
  fc.constantFrom(
    "__keys__",
    "constructor",
    "hasOwnProperty",
    "toJSON",
    "then",
    "length",
    "0",
    "",
    "prototype",
  ),
);
const leaf = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.double().filter((number) => !Object.is(number, -0)),
  fc.maxSafeInteger(),
  fc.bigInt(),
  fc.constantFrom(null, undefined, true, false, /a[/]+/gi, /\p{L}/u, new ArrayBuffer(3)),
  fc.date({ noInvalidDate: false, min: new Date(-8.64e15), max: new Date(8.64e15) }),
  ...[fc.uint8Array(), fc.int16Array(), fc.float32Array(), fc.float64Array(), fc.bigInt64Array()],
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: "medium" },
    leaf,
    fc.array(tie("tree"), { maxLength: 5 }),
    fc.dictionary(names, tie("tree"), { maxKeys: 5, noNullPrototype: true }),
    fc.array(fc.tuple(tie("tree"), tie("tree")), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie("tree"), { maxLength: 4 }).map((items) => new Set(items)),
  ),
}));

describe("the msgpack codec", () => {
  it("gives every value back equal that it takes", () => {
    fc.assert(
      fc.property(tree, (value) => assert.deepStrictEqual(back(value), value)),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["integers at the edges", [2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 1, -(2 ** 53) + 1, 1e21, 5e-324]],
    ["big integers of any size", [2n ** 63n, -(2n ** 63n), 2n ** 64n, 10n ** 40n, -(10n ** 400n), 0n, 5n]],
    [
      "dates at the edges",
      [new Date(-8.64e15), new Date(8.64e15), new Date(-1), new Date(4_294_967_296_001)],
    ],
    ["many names", Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`name ${i}`, i]))],
    ["long text", "é".repeat(100_000)],
    ["a Map in a Map in a Set", new Set([new Map([[new Map([["a", 1]]), new Set([undefined])]])])],
    ["an empty Map beside an empty array", [new Map(), [], {}, new Set()]],
    ["a byte that could be a mark", [193, "\u00c1", new Uint8Array([0xc1])]],
    ["nothing", undefined],
  ])("gives %s back equal", (_: string, value: unknown) => {
    assert.deepStrictEqual(back(value), value);
  });

  it("stores a shared reference twice, and a part of a buffer without the rest of it", () => {
    const shared = new Map([["a", [1]]]);
    assert.deepStrictEqual(back([shared, shared, { shared }]), [shared, shared, { shared }]);
    const whole = new Uint8Array(4096).fill(7);
    expect(msgpack.encode([whole.subarray(10, 12)]).length).toBeLessThan(20);
  });

  it.each(refused)("refuses what is at %s", (path, value) => {
    let thrown: unknown;
    try {
      msgpack.encode(value);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Refusal);
    expect((thrown as Refusal).message).toContain(`the value at ${path} is `);
  });

  it("refuses what shared references make larger than any memory", () => {
    let value: unknown = [1];
    for (let level = 0; level < 60; level++) value = [value, value];
    expect(() => msgpack.encode(value)).toThrow(/more than 16,777,216 objects/);
  });

  it("changes nothing of what it is given, and calls nothing of it", () => {
    const value = { map: new Map([["a", 1]]), list: [new Set([new Map()])] };
    const before = structuredClone(value);
    msgpack.encode(value);
    assert.deepStrictEqual(value, before);
    assert.deepStrictEqual(back(Object.defineProperty({ a: 1 }, "toJSON", { value: () => 2 })), { a: 1 });
    let reads = 0;
    assert.deepStrictEqual(
      back({
        get at() {
          return reads++;
        },
      }),
      { at: 0 },
    );
    assert.deepStrictEqual(back(runInNewContext("({ at: new Date(0), m: new Map([[1, 2]]) })")), {
      at: new Date(0),
      m: new Map([[1, 2]]),
    });
  });

  it("is smaller than JSON, and is plain MessagePack where there is no Map", () => {
    const user = { id: 1, name: "Ada", roles: ["admin"], born: 1815 };
    expect(msgpack.encode(user).length).toBeLessThan(json.encode(user).length);
    expect([...(msgpack.encode({ a: [1, "b"] }) as Uint8Array)]).toEqual([
      0x81, 0xa1, 0x61, 0x92, 1, 0xa1, 0x62,
    ]);
  });

  it.each([
    ["text", "text"],
    ["no bytes", new Uint8Array()],
    ["bytes cut off", (msgpack.encode({ a: "bcdef" }) as Uint8Array).subarray(0, 5)],
    ["bytes after the end", new Uint8Array([1, 2])],
    ["a Map with a key too many", new Uint8Array([0x92, 0xc1, 1])],
  ])("throws for %s, which a store tells as KV_CORRUPT", async (_, payload) => {
    expect(() => msgpack.decode(payload)).toThrow();
    const adapter = memory();
    const store = createStore(adapter, { codec: msgpack });
    await store.set("k", 1);
    const { namespaceOf } = await import("@kv/core");
    await adapter.commit(namespaceOf([]), [
      {
        checks: [],
        mutations: [
          {
            type: "set",
            key: "k",
            payload,
            encoding: "msgpack",
            expiresAt: undefined,
            policy: "persist",
            user: undefined,
          },
        ],
      },
    ]);
    const error = await store.get("k").catch((thrown: unknown) => thrown);
    expect(KvError.is(error, "KV_CORRUPT"), String(error)).toBe(true);
    await store.close();
  });

  it("reads what json and structured wrote, counts, and stores bytes as bytes", async () => {
    const adapter = memory();
    const before = createStore(adapter, { codec: structured });
    await before.set("old", new Date(0));
    await before.set("n", 5);
    const store = createStore(adapter, { codec: msgpack, codecs: [msgpack] });
    expect(await store.get("old")).toEqual(new Date(0));
    expect(await store.increment("n", 2)).toBe(7);
    await store.set("bytes", new Uint8Array([1]));
    expect(await store.get("bytes")).toEqual(new Uint8Array([1]));
    await before.close();
    await store.close();
  });
});
