import { join } from "node:path";
import type { Contender, Value } from "../../workload/contender.ts";

/** The default of @kv/leveldb. classic-level's own default is a quarter of it, and would make its scans slower. */
export const CACHE_BYTES: number = 32 * 1024 * 1024;

/** Handwritten code: a key, its JSON, one `get` or `put` per call, a batch for many. */
export const classicLevel: Contender = {
  name: "classic-level",
  role: "bare",
  packages: ["classic-level"],
  note: "the driver by itself, asynchronous: no metadata, no expiry; setMany is one batch; the block cache as large as ours",
  async open(folder) {
    const { ClassicLevel } = await import("classic-level");
    const database = new ClassicLevel<string, string>(join(folder, "bare"), { cacheSize: CACHE_BYTES });
    await database.open();
    const parsed = (text: string | undefined): Value | undefined =>
      text === undefined ? undefined : JSON.parse(text);
    return {
      get: async (key) => parsed(await database.get(key)),
      set: (key, value) => database.put(key, JSON.stringify(value)),
      setExpiring: (key, value, ttlMs) =>
        database.put(key, JSON.stringify({ value, expiresAt: Date.now() + ttlMs })),
      getMany: async (keys) => (await database.getMany([...keys])).map(parsed),
      setMany: (pairs) =>
        database.batch(pairs.map(([key, value]) => ({ type: "put", key, value: JSON.stringify(value) }))),
      async scan(prefix) {
        const found = await database.iterator({ gte: prefix, lt: `${prefix}\u{10ffff}` }).all();
        return found.map(([key, text]) => [key, JSON.parse(text)]);
      },
      close: () => database.close(),
    };
  },
};
