import { compareKeys, namespaceFromId, namespaceOf, utf8Length } from "@kv/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyAfter, keyFault, prefixEnd } from "../../src/contract/key.ts";

/** Well-formed strings, often of characters for which UTF-16 and UTF-8 order differ. */
const text = fc.string({
  unit: fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    fc.constantFrom("\0", "a", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"),
  ),
  maxLength: 6,
});
const sign = (order: number): number => Math.sign(order);

describe("keys", () => {
  it("compare as their UTF-8 bytes do", () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
      { numRuns: 2000 },
    );
  });

  it("are measured in UTF-8 bytes", () => {
    fc.assert(fc.property(text, (a) => utf8Length(a) === Buffer.byteLength(a)));
  });

  it("with a prefix are exactly those between the prefix and its end", () => {
    fc.assert(
      fc.property(text, text, (prefix, key) => {
        const end = prefixEnd(prefix);
        const within = compareKeys(key, prefix) >= 0 && (end === undefined || compareKeys(key, end) < 0);
        expect(within).toBe(key.startsWith(prefix));
        expect(end === undefined || end.isWellFormed()).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("have nothing between them and their successors", () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(compareKeys(b, a) > 0).toBe(compareKeys(b, keyAfter(a)) >= 0);
      }),
    );
  });

  it("have 1 to 1,024 bytes, the prefix counted", () => {
    expect(keyFault("x".repeat(1024), "")).toBeUndefined();
    expect(keyFault("x".repeat(1025), "")?.code).toBe("KV_INVALID_KEY");
    expect(keyFault("ä".repeat(512), "")).toBeUndefined();
    expect(keyFault("ä".repeat(512), "p:")?.code).toBe("KV_INVALID_KEY");
    expect(keyFault("😀".repeat(256), "")).toBeUndefined();
    expect(keyFault("😀".repeat(257), "")?.code).toBe("KV_INVALID_KEY");
    for (const bad of ["", "\ud800", "a\udfffb", 1, null, undefined, {}, Symbol("s")]) {
      expect(keyFault(bad, "")?.code).toBe("KV_INVALID_KEY");
    }
  });
});

describe("namespaces", () => {
  it("have ids that tell every two paths apart and give the path back", () => {
    const path = fc.array(
      fc.string({ unit: fc.constantFrom("a", "/", "~", ":", "0", "1", "\0"), minLength: 1, maxLength: 4 }),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(path, path, (a, b) => {
        expect(namespaceFromId(namespaceOf(a).id).path).toEqual(a);
        expect(namespaceOf(a).id === namespaceOf(b).id).toBe(JSON.stringify(a) === JSON.stringify(b));
        expect(namespaceOf(b).id.startsWith(namespaceOf(a).id)).toBe(
          a.every((segment, i) => b[i] === segment),
        );
      }),
      { numRuns: 2000 },
    );
  });
});
