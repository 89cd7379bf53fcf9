import type { Redis } from "ioredis";
import type { Pair, Subject, Value } from "../../workload/contender.ts";

/** Names the server looks at per SCAN. Its default of 10 would make ten thousand round trips of a scan. */
export const SCAN_COUNT = 1000;

/** Handwritten code: a STRING per entry, its value as JSON. */
export function ioredisSubject(client: Redis): Subject {
  const parsed = (text: string | null): Value | undefined => (text === null ? undefined : JSON.parse(text));
  return {
    get: async (key) => parsed(await client.get(key)),
    set: (key, value) => client.set(key, JSON.stringify(value)),
    setExpiring: (key, value, ttlMs) => client.set(key, JSON.stringify(value), "PX", ttlMs),
    getMany: async (keys) => (await client.mget([...keys])).map(parsed),
    setMany: (pairs) => client.mset(pairs.flatMap(([key, value]) => [key, JSON.stringify(value)])),
    async scan(prefix) {
      const names = new Set<string>();
      let cursor = "0";
      do {
        const [next, found] = await client.scan(cursor, "MATCH", `${prefix}*`, "COUNT", SCAN_COUNT);
        for (const name of found) names.add(name);
        cursor = next;
      } while (cursor !== "0");
      const sorted = [...names].sort();
      const texts = await client.mget(sorted);
      return sorted.map((name, index): Pair => [name, JSON.parse(texts[index]!)]);
    },
    close: () => client.quit(),
  };
}
