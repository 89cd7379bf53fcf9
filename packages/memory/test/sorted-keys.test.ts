import { compareKeys } from "@kv/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SortedKeys } from "../src/stored/sorted-keys.ts";

interface Item {
  readonly key: string;
}

/** The simplest implementation, for comparison. */
class Model {
  items: Item[] = [];

  insert(item: Item): void {
    this.items.push(item);
    this.items.sort((a, b) => compareKeys(a.key, b.key));
  }

  delete(key: string): void {
    this.items = this.items.filter((item) => item.key !== key);
  }

  within(start: string, end: string | undefined): Item[] {
    return this.items.filter(
      ({ key }) => compareKeys(key, start) >= 0 && (end === undefined || compareKeys(key, end) < 0),
    );
  }
}

function visited(sorted: SortedKeys<Item>, start: string, end: string | undefined, reverse: boolean): Item[] {
  const items: Item[] = [];
  sorted.visit({ start, end }, reverse, (item) => {
    items.push(item);
    return true;
  });
  return items;
}

function filled(count: number, order: (i: number) => number = (i) => i): SortedKeys<Item> {
  const sorted = new SortedKeys<Item>();
  for (let i = 0; i < count; i++) sorted.insert({ key: numbered(order(i)) });
  return sorted;
}

function numbered(i: number): string {
  return String(i).padStart(6, "0");
}

const plain = fc.string({ unit: fc.constantFrom("a", "b", "c", "\0"), maxLength: 4 });
const wild = fc.string({
  unit: fc.constantFrom("a", "\u007f", "é", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"),
  maxLength: 3,
});

describe("sorted keys", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("insert" as const), key: fc.oneof(plain, wild) }),
    fc.record({ do: fc.constant("insertMany" as const), from: fc.nat(20), count: fc.nat(900) }),
    fc.record({ do: fc.constant("delete" as const), key: fc.oneof(plain, wild, fc.nat(3000).map(numbered)) }),
    fc.record({
      do: fc.constant("extract" as const),
      start: plain,
      end: fc.option(wild, { nil: undefined }),
    }),
    fc.record({
      do: fc.constant("extract" as const),
      start: fc.nat(2000).map(numbered),
      end: fc.nat(3000).map(numbered),
    }),
  );

  it("answers like a sorted array, whatever is inserted and removed", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.oneof(plain, wild),
        fc.option(wild, { nil: undefined }),
        (steps, start, end) => {
          const sorted = new SortedKeys<Item>();
          const model = new Model();
          const insert = (key: string) => {
            if (model.items.some((item) => item.key === key)) return;
            const item = { key };
            sorted.insert(item);
            model.insert(item);
          };
          for (const taken of steps) {
            if (taken.do === "insert") insert(taken.key);
            else if (taken.do === "insertMany") {
              for (let i = 0; i < taken.count; i++) insert(numbered(taken.from + ((i * 7) % 1000)));
            } else if (taken.do === "delete") {
              sorted.delete(taken.key);
              model.delete(taken.key);
            } else {
              // Every other one, so that blocks shrink without getting empty.
              const chosen = ({ key }: Item) => key.length % 2 === 0 || key.endsWith("1");
              const expected = model.within(taken.start, taken.end).filter(chosen);
              expect(sorted.extract(taken, chosen)).toEqual(expected);
              for (const { key } of expected) model.delete(key);
            }
          }
          for (const bounds of [
            { start, end },
            { start: "", end },
            { start, end: undefined },
          ]) {
            const expected = model.within(bounds.start, bounds.end);
            expect(visited(sorted, bounds.start, bounds.end, false)).toEqual(expected);
            expect(visited(sorted, bounds.start, bounds.end, true)).toEqual(expected.toReversed());
            expect(sorted.count(bounds)).toBe(expected.length);
          }
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);

  it("goes over to the order of code points when the first key needs it", () => {
    const sorted = new SortedKeys<Item>();
    const inserted = ["b", "a", "\ud7ff", "\u{1f600}", "\uffee", "z", "a\u{1f600}", "a\uffee"];
    for (const key of inserted) sorted.insert({ key });
    const expected = ["a", "a\uffee", "a\u{1f600}", "b", "z", "\ud7ff", "\uffee", "\u{1f600}"];
    expect(visited(sorted, "", undefined, false).map(({ key }) => key)).toEqual(expected);
  });

  it("holds many keys, however they come", () => {
    const count = 20_000;
    const expected = Array.from({ length: count }, (_, i) => numbered(i));
    for (const order of [(i: number) => i, (i: number) => count - 1 - i, (i: number) => (i * 7919) % count]) {
      const sorted = filled(count, order);
      expect(visited(sorted, "", undefined, false).map(({ key }) => key)).toEqual(expected);
      expect(sorted.count({ start: numbered(100), end: numbered(19_000) })).toBe(18_900);
    }
  });

  it("stops when the visitor says so", () => {
    const sorted = filled(2000);
    for (const [reverse, first] of [
      [false, 0],
      [true, 1999],
    ] as const) {
      const seen: string[] = [];
      sorted.visit({ start: "", end: undefined }, reverse, ({ key }) => seen.push(key) < 3);
      expect(seen).toHaveLength(3);
      expect(seen[0]).toBe(numbered(first));
    }
  });

  it("is as good as new once it was emptied from the front, as by a queue", () => {
    const sorted = filled(5000);
    for (let i = 0; i < 5000; i++) sorted.delete(numbered(i));
    expect(sorted.count({ start: "", end: undefined })).toBe(0);
    sorted.insert({ key: "x" });
    sorted.insert({ key: "" });
    expect(visited(sorted, "", undefined, false).map(({ key }) => key)).toEqual(["", "x"]);
  });
});
