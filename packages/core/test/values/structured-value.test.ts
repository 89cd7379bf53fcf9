import { strict as assert } from "node:assert";
import { Refusal, structured } from "@kv/core";
import { describe, expect, it, vi } from "vitest";

class Index extends Map {}
class Row extends Array<unknown> {}
class Day extends Date {}

function cycle(): unknown {
  const map = new Map<string, unknown>();
  map.set("self", { map });
  return map;
}

const refused: [path: string, value: unknown][] = [
  ["$.rows", { rows: Row.from([1, 2]) }],
  ["$", new Index()],
  ["$[0]", [new Day(0)]],
  ["$.extra", Object.assign([1], { extra: 2 })],
  ["$.values()[0]", new Map([["f", () => 1]])],
  ["$.a", { a: Symbol("s") }],
  ["$.note", Object.assign(new Date(0), { note: 1 })],
  ["$", { [Symbol("s")]: 1 }],
  ["$", Object.assign(/x/g, { lastIndex: 1 })],
  ["$.error", { error: new Error("x") }],
];

describe("the structured codec", () => {
  it.each([
    ["odd scalars", { a: undefined, b: Number.NaN, c: -0, d: 1n, e: Number.NEGATIVE_INFINITY }],
    ["maps, sets, dates", new Map<unknown, unknown>([[{ key: 1 }, new Set([new Date(5), /x/giu])]])],
    ["binary", [new Uint8Array([1, 2]), new Float64Array([0.1, Number.NaN]), new ArrayBuffer(3)]],
    ["holes", new Array(3)],
    ["no prototype", Object.assign(Object.create(null), { a: 1 })],
    ["URL", new URL("https://example.org/?a=1")],
    ["cycles", cycle()],
    ["text", "text"],
    ["null", null],
  ])("gives %s back equal", (_: string, value: unknown) => {
    assert.deepStrictEqual(structured.decode(structured.encode(value)), value);
  });

  it("takes the Date of a clock that a test has mocked", () => {
    vi.useFakeTimers({ now: 5 });
    try {
      assert.deepStrictEqual(structured.decode(structured.encode([new Date()])), [new Date(5)]);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each(refused)("refuses what is at %s", (path, value) => {
    let thrown: unknown;
    try {
      structured.encode(value);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Refusal);
    expect((thrown as Refusal).message).toContain(`the value at ${path} is `);
  });
});
