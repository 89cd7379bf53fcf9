import fc from "fast-check";
import { expect, it } from "vitest";
import { SortedTree } from "../../src/storage/indexes/sorted-tree.ts";

const change = fc.tuple(fc.nat(400), fc.boolean());

it("a tree holds what a map would, in order, from every boundary both ways; older trees stay as they were", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 1500 }), fc.nat(400), (changes, boundary) => {
      let tree = SortedTree.empty<number, number>((left, right) => left - right);
      const map = new Map<number, number>();
      const half = Math.floor(changes.length / 2);
      let early = tree;
      let earlyKeys: number[] = [];
      for (const [at, [key, isRemoval]] of changes.entries()) {
        tree = isRemoval ? tree.without(key) : tree.with(key, at);
        if (isRemoval) map.delete(key);
        else map.set(key, at);
        if (at === half) {
          early = tree;
          earlyKeys = [...map.keys()].sort((left, right) => left - right);
        }
      }
      const keys = [...map.keys()].sort((left, right) => left - right);
      const locate = (key: number) => key - boundary;
      expect(tree.size).toBe(map.size);
      expect([...tree.from()]).toEqual(keys.map((key) => [key, map.get(key)]));
      expect(Array.from(tree.from(locate), ([key]) => key)).toEqual(keys.filter((key) => key >= boundary));
      expect(Array.from(tree.before(locate), ([key]) => key)).toEqual(
        keys.filter((key) => key < boundary).reverse(),
      );
      expect(tree.get(boundary)).toBe(map.get(boundary));
      expect(Array.from(early.from(), ([key]) => key)).toEqual(earlyKeys);
    }),
    { numRuns: 60 },
  );
});
