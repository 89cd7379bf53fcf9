import { Refusal } from "@kv/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkedCopy, checkedText, copyOfJson, textOfJson } from "../../src/values/json-value.ts";

class Point {
  x = 1;
}

function cycle(): unknown {
  const object: Record<string, unknown> = {};
  object["self"] = { object };
  return object;
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

const refused: [path: string, value: unknown][] = [
  ["$", undefined],
  ["$", Number.NaN],
  ["$", Number.POSITIVE_INFINITY],
  ["$", -0],
  ["$", 1n],
  ["$", Symbol("s")],
  ["$", () => 1],
  ["$.user.born", { user: { born: new Date(0) } }],
  ["$[1]", [1, undefined]],
  // biome-ignore lint/suspicious/noSparseArray: a hole is what this is about
  ["$[1]", [1, , 3]],
  ["$.a", { a: new Map() }],
  ["$.a", { a: new Point() }],
  ["$.a", { a: Object.create(null) }],
  ["$.a", { a: new Uint8Array(1) }],
  ["$.a", { a: undefined }],
  ['$["odd name"][0]', { "odd name": [-0] }],
  ["$.self.object", cycle()],
  ["$", { [Symbol("s")]: 1 }],
  ["$", Object.assign([1], { index: 0 })],
  ["$", "x".match(/x/)],
  ["$.a", { a: new String("s") }],
];

describe("strict JSON", () => {
  it("copies every JSON value, own properties named __proto__ included", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value));
        for (const copy of [checkedCopy(plain), copyOfJson(plain)]) {
          expect(copy).toStrictEqual(plain);
          if (typeof plain === "object" && plain !== null) expect(copy).not.toBe(plain);
        }
        expect(checkedText(plain)).toBe(JSON.stringify(plain));
      }),
      { numRuns: 1000 },
    );
    const odd: unknown = JSON.parse('{"__proto__": {"polluted": [1]}, "a": {"__proto__": 2}}');
    for (const copy of [checkedCopy(odd), copyOfJson(odd)])
      expect(JSON.stringify(copy)).toBe(JSON.stringify(odd));
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it("shares nothing with what it copied", () => {
    const value = { list: [{ a: 1 }], object: { b: [2] } };
    for (const copy of [checkedCopy(value), copyOfJson(value)] as (typeof value)[]) {
      copy.list[0] = { a: 9 };
      copy.object.b.push(9);
    }
    expect(value).toEqual({ list: [{ a: 1 }], object: { b: [2] } });
  });

  it.each(refused)("names the path %s of what would not come back equal", (path, value) => {
    for (const check of [checkedCopy, checkedText]) {
      let thrown: unknown;
      try {
        check(value);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(Refusal);
      expect((thrown as Refusal).code).toBe("KV_INVALID_VALUE");
      expect((thrown as Refusal).message).toContain(`the value at ${path} is `);
    }
  });

  it("does not obey a toJSON that a library put on the prototype of all objects or of all arrays", () => {
    const value = { list: [1, { a: [2] }], toJSON: "a name like any other", deep: { toJSON: null } };
    const text = JSON.stringify(value);
    for (const prototype of [Object.prototype, Array.prototype]) {
      Object.defineProperty(prototype, "toJSON", { value: () => "polluted", configurable: true });
      try {
        expect(JSON.stringify([1])).toBe('"polluted"');
        expect(checkedText(value)).toBe(text);
        expect(textOfJson([value], 2)).toContain('"a": [');
      } finally {
        Reflect.deleteProperty(prototype, "toJSON");
      }
    }
  });

  it("stores what it read, however often a proxy changes its mind", () => {
    let reads = 0;
    const proxy = new Proxy(
      { a: 0 },
      { get: (_, name) => (name === "a" ? (reads++ === 0 ? 1 : Number.NaN) : undefined) },
    );
    expect(checkedText([proxy])).toBe('[{"a":1}]');
    const array = Object.defineProperty([1], "slice", { value: () => [new Date(0)] });
    expect(checkedCopy(array)).toStrictEqual([1]);
  });

  it("refuses what shared references make larger than any memory", () => {
    let value: unknown = [1];
    for (let level = 0; level < 60; level++) value = [value, value];
    expect(() => checkedText(value)).toThrow(/more than 16,777,216 objects/);
  });

  it("takes shared references, which come back equal, and 500 levels", () => {
    const shared = { a: 1 };
    expect(checkedCopy([shared, shared])).toStrictEqual([{ a: 1 }, { a: 1 }]);
    expect(checkedCopy(nested(500))).toStrictEqual(nested(500));
    expect(() => checkedCopy(nested(100_000))).toThrow(/nested deeper than 500 levels/);
  });
});
