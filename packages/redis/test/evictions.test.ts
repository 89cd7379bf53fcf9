import { beforeEach, describe, expect, test } from "vitest";
import { needsServer, type TestServer } from "./support/server.ts";
import { eventually, keysOf, refusalOf, serverFor, storeOn } from "./support/stores.ts";

const FILLER = "x".repeat(20_000);

/** Makes the server evict some entries with a deadline. Returns how many it evicted. */
async function evict({ bare }: TestServer): Promise<number> {
  const before = evicted(await bare.info("stats"));
  const used = Number(/used_memory:(\d+)/.exec(await bare.info("memory"))?.[1]);
  await bare.config("SET", "maxmemory", String(used - 2_000_000));
  await eventually(async () => expect(evicted(await bare.info("stats"))).toBeGreaterThan(before));
  await bare.config("SET", "maxmemory", String(used * 2));
  return evicted(await bare.info("stats")) - before;
}

function evicted(info: string): number {
  return Number(/evicted_keys:(\d+)/.exec(info)?.[1]);
}

describe("entries that the server evicts", () => {
  beforeEach(needsServer);

  test.each([
    ["who may ask for INFO", [] as string[]],
    ["who may not", ["-info"]],
  ])("are counted no more after a sweep, of a user %s", async (_, rules) => {
    const server = await serverFor("--maxmemory-policy", "volatile-lru");
    await server.bare.call("ACL", "SETUSER", "some", "on", ">pw", "~*", "&*", "+@all", ...rules);
    const store = storeOn({ port: server.port, username: "some", password: "pw" });
    const tenant = store.namespace("tenant");
    await store.set("stays", 1);
    await store.sweep();
    await tenant.setMany(
      Array.from({ length: 100 }, (_, i) => [`k${i}`, FILLER]),
      { ttl: 3600, policy: "evict" },
    );
    await store.setMany(
      Array.from({ length: 400 }, (_, i) => [`k${i}`, FILLER]),
      { ttl: 3600 },
    );
    const seen: string[] = [];
    await store.subscribe(({ type, key }) => void seen.push(`${type} ${key}`));
    const gone = await evict(server);
    // They read as absent at once, by every kind of read.
    const keys = await keysOf(store);
    expect(keys.length + (await keysOf(tenant)).length).toBe(501 - gone);
    expect(await store.sweep()).toBe(gone);
    expect(await store.count()).toBe(keys.length);
    expect(await store.stats()).toMatchObject({ keys: keys.length, expiring: keys.length - 1 });
    const left = (await keysOf(tenant)).length;
    expect(await tenant.stats()).toMatchObject({ keys: left, expiring: left, evictable: left });
    expect(await store.has("stays")).toBe(true);
    // The index is not searched twice, and watchers were notified.
    expect(await store.sweep()).toBe(0);
    const absent = Array.from({ length: 400 }, (_, i) => `k${i}`).filter((key) => !keys.includes(key));
    await eventually(async () => {
      for (const key of absent) expect(seen).toContain(`delete ${key}`);
    });
  });

  test("leave no namespace on the list of which nothing is left", async () => {
    const server = await serverFor("--maxmemory-policy", "volatile-lru");
    const store = storeOn({ port: server.port });
    const tenant = store.namespace("tenant");
    await tenant.set("k", 1, { ttl: 3600 });
    const [name] = await server.bare.keys("*tenant*:k");
    await server.bare.del(String(name));
    // As if the server had evicted it: the server counts evictions.
    await store.setMany(
      Array.from({ length: 400 }, (_, i) => [`k${i}`, FILLER]),
      { ttl: 3600 },
    );
    await evict(server);
    await store.sweep();
    expect(await store.listNamespaces()).toEqual([]);
    expect(await tenant.count()).toBe(0);
  });

  test("may not be what the index is made of", async () => {
    const server = await serverFor("--maxmemory-policy", "allkeys-lru", "--maxmemory", "100mb");
    const error = await refusalOf(storeOn({ port: server.port }).set("k", 1));
    expect(error).toMatchObject({ code: "KV_UNSUPPORTED" });
    expect(error.message).toMatch(/maxmemory-policy.*volatile-.*ordered: false/);
    const cache = storeOn({ port: server.port, ordered: false });
    await cache.set("k", 1);
    expect(await cache.get("k")).toBe(1);
    // Without a limit nothing is evicted.
    await server.bare.config("SET", "maxmemory", "0");
    await storeOn({ port: server.port, prefix: "ordered:" }).set("k", 1);
  });

  test("may be any key of a store without an index", async () => {
    const server = await serverFor("--maxmemory-policy", "allkeys-lru", "--maxmemory", "100mb");
    const store = storeOn({ port: server.port, ordered: false });
    const [first, second] = [store.namespace("first"), store.namespace("second")];
    await first.set("k", 1);
    await second.set("k", 1);
    for (const name of await server.bare.keys("*")) if (!name.endsWith(":k")) await server.bare.del(name);
    expect(await first.get("k")).toBe(1);
    expect((await store.listNamespaces()).sort()).toEqual([["first"], ["second"]]);
    await second.set("k", 2);
    expect(await store.clear({ namespaces: true })).toBe(2);
    expect(await server.bare.keys("*:k")).toEqual([]);
  });
});
