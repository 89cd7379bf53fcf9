import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeyMap } from "../src/stored/key-map.ts";

describe("the map of keys", () => {
  it("answers like a Map, however keys come and go", () => {
    const key = fc.nat(300).map(String);
    fc.assert(
      fc.property(fc.array(key, { maxLength: 2000 }), (toggled) => {
        const map = new KeyMap<{ key: string }>();
        const model = new Map<string, { key: string }>();
        for (const key of toggled) {
          if (model.delete(key)) map.delete(key);
          else {
            const value = { key };
            map.add(key, value);
            model.set(key, value);
          }
          expect(map.get(key)).toBe(model.get(key));
        }
        expect(map.size).toBe(model.size);
        expect(new Set(map.values())).toEqual(new Set(model.values()));
        for (let i = 0; i < 300; i++) expect(map.get(String(i))).toBe(model.get(String(i)));
      }),
      { numRuns: 50 },
    );
  });

  it("takes and releases a key beside many others nearly as fast as alone", () => {
    const value = {};
    const timed = (map: KeyMap<object>) => {
      const begin = performance.now();
      for (let i = 0; i < 40_000; i++) {
        map.add("lock", value);
        map.delete("lock");
      }
      return performance.now() - begin;
    };
    const crowd = new KeyMap<object>();
    for (let i = 0; i < 200_000; i++) crowd.add(`key ${i}`, value);
    timed(new KeyMap());
    // A plain Map takes some fifty times as long beside the others.
    expect(timed(crowd)).toBeLessThan(10 * timed(new KeyMap()) + 10);
  });
});
