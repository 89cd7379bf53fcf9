import type { Contender, Pair, Value } from "../../workload/contender.ts";

export const plainMap: Contender = {
  name: "Map",
  role: "bound",
  byReference: true,
  packages: [],
  note: "no expiry, no order; an upper bound",
  async open() {
    const map = new Map<string, Value>();
    return {
      get: (key) => map.get(key),
      set: (key, value) => void map.set(key, value),
      getMany: (keys) => keys.map((key) => map.get(key)),
      setMany(pairs) {
        for (const [key, value] of pairs) map.set(key, value);
      },
      scan: (prefix) => under(map, prefix),
      close: () => map.clear(),
    };
  },
};

function under(map: ReadonlyMap<string, Value>, prefix: string): Pair[] {
  const found: Pair[] = [];
  for (const pair of map) if (pair[0].startsWith(prefix)) found.push(pair);
  return found.sort(([a], [b]) => (a < b ? -1 : 1));
}
