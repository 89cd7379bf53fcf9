import { randomUUID } from "node:crypto";
import { createStore, type Store } from "@kv/core";
import { type RedisOptions, redis } from "@kv/redis";
import { Cluster, Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { isMissing, type Missing, type Service } from "../../services/service.ts";
import { type Shared, sharedRedisCluster, sharedRedisServers } from "../../services/shared.ts";
import { eventually } from "./place.ts";

/** The store's prefix, and those of others that a careless pattern or comparison would take for it. */
const OWN = "app[12]*?:";
const SIBLINGS = [
  "app",
  "app2",
  "app1:",
  "app[12]*?",
  "app[12]*?:x",
  "app[12]*?:*",
  "APP[12]*?:",
  "*",
  "a\\pp",
];

/** Where a test has all of it to itself: what tells its names from other tests' stands before the prefixes. */
interface Ground {
  readonly connection: RedisOptions;
  readonly bare: Redis | Cluster;
}

/** What is there under a name, whatever its type. */
async function dumped(bare: Redis | Cluster, names: readonly string[]): Promise<(string | undefined)[]> {
  return Promise.all(names.map(async (name) => (await bare.dumpBuffer(name))?.toString("base64")));
}

/** Creates foreign names of every type, some of which look like the store's own. Returns all of them. */
async function foreign(
  { bare }: Ground,
  prefix: string,
  own: readonly string[],
  ordered: boolean,
): Promise<string[]> {
  const names = ["*", "?", "[a]", "{}", "{x", "}", "\\", "\\*", "", "keys", "é\u0000"].map(
    (name) => `${prefix}${name}`,
  );
  // One letter off, cut short, continued, and with braces in other places.
  for (const name of own) {
    names.push(`${name}x`, name.slice(0, -1), name.replace("}", "}}"), name.replace("{", "{{"), `x${name}`);
  }
  names.push(...own.map((name) => name.replace(/\{[0-9a-f]{4}/, "{ffff")));
  // Without an index whatever is called as an entry of the store is one.
  const entries = own
    .filter((name) => name.includes("}:"))
    .map((name) => name.slice(0, name.indexOf("}:") + 2));
  const unique = [...new Set(names)].filter(
    (name) => !own.includes(name) && (ordered || !entries.some((begin) => name.startsWith(begin))),
  );
  const kinds = [
    (name: string) => bare.set(name, "foreign"),
    (name: string) => bare.hset(name, "field", "foreign"),
    (name: string) => bare.zadd(name, 0, "foreign"),
    (name: string) => bare.rpush(name, "foreign"),
    (name: string) => bare.sadd(name, "foreign"),
  ];
  await Promise.all(unique.map((name, i) => kinds[i % kinds.length]?.(name)));
  return unique;
}

async function fill(store: Store): Promise<void> {
  const spaces = [store, store.namespace("a"), store.namespace("a", "b"), store.namespace("ab")];
  for (const space of spaces) {
    await space.set("k", 1);
    await space.set("k*", 2);
    await space.set("[k]?", "large".repeat(1_000));
    await space.setCache("cached", 3);
    await space.set("dated", 4, { ttl: "1h" });
    await space.set("brief", 5, { ttl: 0.05 });
  }
  await eventually(async () => {
    for (const space of spaces) if (await space.has("brief")) throw new Error("it has not expired yet");
  });
}

/** All that a store shows of itself. */
async function shown(store: Store): Promise<unknown> {
  const namespaces = await store.listNamespaces();
  const spaces = [store, ...namespaces.map((path) => store.namespace(...path))];
  return { namespaces, entries: await Promise.all(spaces.map(async (space) => space.range(""))) };
}

function describeNeighbours(name: string, service: object | Missing, connect: () => Ground): void {
  describe(`neighbours in one database: ${name}`, () => {
    let ground: Ground;
    beforeAll(() => {
      if (!isMissing(service)) ground = connect();
    });
    afterAll(() => ground?.bare.disconnect());
    beforeEach((context) => context.skip(isMissing(service), isMissing(service) ? service.reason : ""));

    describe.each([true, false])("ordered: %s", (ordered) => {
      /** A store, its siblings, and foreign names. */
      async function neighbourhood() {
        const run = `${randomUUID()}:`;
        const open = (prefix: string, index = ordered): Store => {
          const options = { ...ground.connection, prefix: run + prefix, ordered: index };
          const store = createStore(redis(options), { sweepInterval: null });
          onTestFinished(async () => {
            await store.clear({ namespaces: true });
            await store.close();
          });
          return store;
        };
        const store = open(OWN);
        // Ranges are what shows most of them.
        const siblings = SIBLINGS.map((prefix) => open(prefix, true));
        await Promise.all([store, ...siblings].map(fill));
        const names = await namesOf(ground.bare, run + OWN);
        const others = await foreign(ground, run + OWN, names, ordered);
        onTestFinished(
          async () => void (await Promise.all(others.map((other) => ground.bare.unlink(other)))),
        );
        const state = async () => ({
          foreign: await dumped(ground.bare, others),
          siblings: await Promise.all(siblings.map(shown)),
        });
        return { store, state, own: () => namesOf(ground.bare, run + OWN, others) };
      }

      test("what one store does to all it has touches nobody else's", async () => {
        const { store, state, own } = await neighbourhood();
        const before = await state();
        expect(before.foreign.every((dump) => dump !== undefined)).toBe(true);
        // Without an index, nothing remains of expired entries.
        expect(await store.sweep()).toBe(ordered ? 4 : 0);
        expect(await store.count()).toBe(5);
        expect((await store.stats()).keys).toBe(5);
        expect(await store.listNamespaces()).toEqual([["a"], ["a", "b"], ["ab"]]);
        if (ordered) {
          const keys: string[] = [];
          for await (const key of store.keys()) keys.push(key);
          expect(keys).toEqual(["[k]?", "cached", "dated", "k", "k*"]);
        }
        expect(await store.clearCache()).toBe(1);
        expect(await store.namespace("a").clear()).toBe(5);
        expect(await store.count()).toBe(4);
        expect(await store.namespace("a", "b").count()).toBe(5);
        expect(await store.namespace("ab").count()).toBe(5);
        expect(await store.clear()).toBe(4);
        expect(await store.listNamespaces()).toEqual([["a", "b"], ["ab"]]);
        expect(await store.clear({ namespaces: true })).toBe(10);
        await store.sweep();
        expect(await state()).toEqual(before);
        // What is left of the store holds no entry.
        expect((await own()).filter((name) => /\}:/.test(name))).toEqual([]);
      });
    });

    test("what the others do touches nothing of it", async () => {
      const run = `${randomUUID()}:`;
      const stores = [OWN, ...SIBLINGS].map((prefix) => {
        const store = createStore(redis({ ...ground.connection, prefix: run + prefix }), {
          sweepInterval: null,
        });
        onTestFinished(() => store.close());
        return store;
      });
      const [store, ...siblings] = stores;
      if (store === undefined) return;
      await Promise.all(stores.map(fill));
      const before = await shown(store);
      for (const sibling of siblings) {
        await sibling.sweep();
        expect(await sibling.clearCache()).toBe(1);
        expect(await sibling.clear({ namespaces: true })).toBe(4 + 3 * 5);
        expect(await shown(store)).toEqual(before);
      }
      expect(await store.clear({ namespaces: true })).toBe(20);
    });
  });
}

/** The names of the store with this prefix, on every node. */
async function namesOf(
  bare: Redis | Cluster,
  prefix: string,
  except: readonly string[] = [],
): Promise<string[]> {
  const nodes = bare instanceof Cluster ? bare.nodes("master") : [bare];
  const names = (await Promise.all(nodes.map((node) => node.keys("*")))).flat();
  return names.filter((name) => name.startsWith(`${prefix}{`) && !except.includes(name));
}

for (const server of await sharedRedisServers()) {
  const { url } = isMissing(server) ? { url: "" } : (server satisfies Shared<Service>);
  describeNeighbours(`one server by ${server.how ?? "any means"}`, server, () => ({
    connection: { url },
    bare: new Redis(url),
  }));
}

if (process.env["KV_TEST_FULL"] === "1") {
  const cluster = await sharedRedisCluster();
  const nodes = isMissing(cluster) ? [] : cluster.nodes;
  describeNeighbours("a Cluster", cluster, () => ({
    connection: { cluster: nodes },
    bare: new Cluster([...nodes]),
  }));
} else {
  test("neighbours in one database: a Cluster", (context) => context.skip("needs KV_TEST_FULL=1"));
}
