import { compareKeys, namespaceOf } from "@kv/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Layout, type StoredBounds } from "../src/stored/layout.ts";

const layout = new Layout("kv");

/** Characters that mean something to some layout, and some that sort differently as UTF-16 and as UTF-8. */
const special = fc.constantFrom(
  "\0",
  "\x01",
  "/",
  "0",
  "~",
  "~0",
  "~1",
  "~2",
  "!",
  '"',
  "e",
  "x",
  "\uffff",
  "😀",
);
const text = fc.string({
  unit: fc.oneof(special, fc.string({ unit: "binary", minLength: 1, maxLength: 1 })),
});
const wellFormed = text.map((some) => some.toWellFormed());
const key = wellFormed.filter((some) => some !== "");
const path = fc.array(key, { maxLength: 3 });

function storedKeyOf(segments: readonly string[], name: string): string {
  return layout.space(namespaceOf(segments)) + name;
}

/** The order in which LevelDB keeps keys. */
function byBytes(a: string, b: string): number {
  return Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function isWithin(storedKey: string, { gte, lt }: StoredBounds): boolean {
  return byBytes(gte, storedKey) <= 0 && byBytes(storedKey, lt) < 0;
}

describe("the layout of keys", () => {
  test("two different places are two different keys, and a key tells its place", () => {
    fc.assert(
      fc.property(path, key, path, key, (aPath, aKey, bPath, bKey) => {
        const a = storedKeyOf(aPath, aKey);
        const b = storedKeyOf(bPath, bKey);
        const same = JSON.stringify([aPath, aKey]) === JSON.stringify([bPath, bKey]);
        expect(Buffer.from(a).equals(Buffer.from(b))).toBe(same);
        expect(layout.namespaceOf(a).path).toEqual(aPath);
        expect(layout.parse(a)).toEqual({ namespaceId: namespaceOf(aPath).id, key: aKey });
      }),
      { numRuns: 2000 },
    );
  });

  test("within a namespace the order is that of the keys", () => {
    fc.assert(
      fc.property(path, key, key, (segments, a, b) => {
        const order = byBytes(storedKeyOf(segments, a), storedKeyOf(segments, b));
        expect(order).toBe(Math.sign(compareKeys(a, b)));
      }),
      { numRuns: 2000 },
    );
  });

  test("a range holds what lies between its bounds, of its own namespace alone", () => {
    fc.assert(
      fc.property(
        path,
        wellFormed,
        fc.option(wellFormed, { nil: undefined }),
        path,
        key,
        (mine, start, end, theirs, name) => {
          const range = layout.range(namespaceOf(mine), { start, end });
          const inside =
            JSON.stringify(mine) === JSON.stringify(theirs) &&
            compareKeys(start, name) <= 0 &&
            (end === undefined || compareKeys(name, end) < 0);
          expect(isWithin(storedKeyOf(theirs, name), range)).toBe(inside);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("a tree holds a namespace and what is below it, and nothing else", () => {
    fc.assert(
      fc.property(path, path, key, fc.boolean(), (top, rest, name, below) => {
        const place = below ? [...top, ...rest] : rest;
        const isBelow = top.every((segment, i) => place[i] === segment);
        expect(isWithin(storedKeyOf(place, name), layout.tree(namespaceOf(top)))).toBe(isBelow);
      }),
      { numRuns: 2000 },
    );
  });

  test("leaping over a namespace leaves none of the others out", () => {
    fc.assert(
      fc.property(path, key, path, key, (aPath, aKey, bPath, bKey) => {
        const a = storedKeyOf(aPath, aKey);
        const b = storedKeyOf(bPath, bKey);
        const leap = layout.afterNamespaceOf(a);
        expect(byBytes(a, leap)).toBe(-1);
        if (JSON.stringify(aPath) === JSON.stringify(bPath)) expect(byBytes(b, leap)).toBe(-1);
        else expect(byBytes(b, leap) >= 0).toBe(byBytes(a, b) < 0);
      }),
      { numRuns: 2000 },
    );
  });

  test("everything of ours lies within the prefix, and entries apart from the rest", () => {
    fc.assert(
      fc.property(path, key, (segments, name) => {
        const stored = storedKeyOf(segments, name);
        expect(isWithin(stored, layout.whole)).toBe(true);
        expect(byBytes(stored, layout.entriesEnd)).toBe(-1);
      }),
    );
    for (const other of [layout.meta, layout.deadlines]) {
      expect(isWithin(other, layout.whole)).toBe(true);
      expect(isWithin(other, layout.tree(namespaceOf([])))).toBe(false);
    }
  });
});
