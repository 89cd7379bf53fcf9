import { Refusal } from "@kv/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { payloadOf, storedValue } from "../../src/stored/stored-value.ts";

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

function formOf(value: unknown): string {
  return Object.keys(storedValue(value, "json").stored).join();
}

/** Attributes as the server returns them: JSON, there and back. */
function roundTrip(payload: unknown, encoding: string): unknown {
  const { stored } = storedValue(payload, encoding);
  const { value = null, text, bytes } = JSON.parse(JSON.stringify(stored));
  return payloadOf(encoding, value, text, bytes);
}

describe("stored values", () => {
  test("a JSON value is an attribute, whatever it is", () => {
    for (const value of [
      null,
      false,
      0,
      -1.5,
      2 ** 53,
      1e21,
      5e-324,
      "",
      "\0",
      "é😀",
      [],
      {},
      { _key: 1, "a.b": [null] },
    ]) {
      expect(formOf(value)).toBe("value");
    }
  });

  test("what the server would refuse, or give back changed, is JSON text", () => {
    const lone = "\ud800";
    for (const value of [
      lone,
      { [lone]: 1 },
      [lone],
      { "": 1 },
      2 ** 63,
      -1e20,
      1e308,
      -Number.MAX_VALUE,
      nested(129),
    ]) {
      expect(formOf(value)).toBe("text");
      expect(roundTrip(value, "json")).toEqual(value);
    }
    expect(formOf(nested(128))).toBe("value");
  });

  test("bytes, texts of other codecs and JSON values come back as they were", () => {
    const same = (payload: unknown, encoding: string, expected: unknown = payload): void => {
      expect(roundTrip(payload, encoding)).toEqual(expected);
    };
    fc.assert(fc.property(fc.jsonValue(), (value) => same(value, "json", JSON.parse(JSON.stringify(value)))));
    fc.assert(fc.property(fc.uint8Array(), (bytes) => same(bytes, "bytes")));
    fc.assert(fc.property(fc.string(), (text) => same(text, "structured")));
    const part = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
    expect(roundTrip(part, "bytes")).toEqual(new Uint8Array([2, 3]));
  });

  test("text that is no JSON is told in place of the value", () => {
    expect(payloadOf("json", null, "{", null)).toBeInstanceOf(Refusal);
  });

  test("the size is about that of the JSON", () => {
    const value = { name: "x".repeat(1000), list: [1, 2, 3] };
    const { size } = storedValue(value, "json");
    expect(size).toBeGreaterThan(1000);
    expect(size).toBeLessThan(1200);
  });
});
