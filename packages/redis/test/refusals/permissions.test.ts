import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import type { RedisOptions } from "../../src/index.ts";
import { needsServer, type TestServer } from "../support/server.ts";
import { eventually, keysOf, refusalOf, serverFor, storeOn } from "../support/stores.ts";

const page = readFileSync(new URL("../../docs/permissions.md", import.meta.url), "utf8");

/** The permissions that every user needs. */
const needed = rulesAfter("ACL SETUSER app on");
/** The permissions for single features. */
const besides = [...page.matchAll(/^\| `(\+[^`]+)` \|/gm)].flatMap((match) =>
  (match[1] ?? "").replaceAll("\\|", "|").split(" "),
);

function rulesAfter(text: string): string[] {
  const command = page.slice(page.indexOf(text) + text.length, page.length);
  return command
    .slice(0, command.indexOf("```"))
    .replaceAll(/\s*\\\n\s*/g, " ")
    .trim()
    .split(" ")
    .filter((rule) => !rule.startsWith(">"));
}

async function userOf({ bare, port }: TestServer, rules: readonly string[]): Promise<RedisOptions> {
  await bare.call("ACL", "SETUSER", "app", "reset", "on", ">pw", ...rules);
  return { port, username: "app", password: "pw" };
}

/** Uses every operation of a store. */
async function exercise({ bare }: TestServer, options: RedisOptions): Promise<void> {
  const store = storeOn(options);
  const seen: string[] = [];
  const other = await store.namespace("other").subscribe(() => undefined);
  const subscription = await store.subscribe(({ type, key }) => void seen.push(`${type} ${key}`));
  await store.set("a", 1, { ttl: 60 });
  await store.set("a", 2);
  await store.setMany([
    ["b", "x".repeat(10_000), { ttl: 60 }],
    ["c", "x".repeat(10_000)],
  ]);
  await store.setCache("cached", 1);
  await store.setMany(
    Array.from({ length: 10 }, (_, i) => [`soon ${i}`, i]),
    { ttl: 0.1 },
  );
  await store.increment("n");
  await store.increment("n", 2);
  await store.atomic().set("b", "y".repeat(10_000)).increment("n").delete("c").commit();
  await store.updateTtl("a", 60);
  await store.updateTtl("b", 60);
  await store.updateTtl("b", null);
  await store.updatePolicy("a", "evict");
  await store.updatePolicy("a", "persist");
  await store.namespace("tenant").set("k", 1, { ttl: 60 });
  await store.scope("a").stats();
  await store.scope("tenant").set("k", 1, { ttl: 60 });
  await store.scope("tenant").stats();
  expect(await store.getMany(["a", "n"])).toEqual([2, 4]);
  expect(await store.take("a")).toBe(2);
  expect(await store.count({ prefix: "b" })).toBe(1);
  expect(await keysOf(store)).toContain("b");
  expect((await store.range("b", "c", { reverse: true })).length).toBeGreaterThan(0);
  await sleep(150);
  expect(await store.listNamespaces()).toEqual([["tenant"]]);
  // As if the server had evicted it.
  await store.set("evicted", 1);
  for (const name of await bare.keys("*:evicted")) await bare.del(name);
  await store.sweep();
  await eventually(async () => expect(seen).toContain("expire soon 1"));
  await other.unsubscribe();
  await store.namespace("tenant").clear();
  await store.sweep();
  expect(await store.clearCache()).toBe(1);
  await store.clear({ namespaces: true });
  await subscription.unsubscribe();
}

describe("the permissions that the README lists", () => {
  beforeEach(needsServer);

  test("are enough", async () => {
    const server = await serverFor();
    await exercise(server, await userOf(server, needed));
    // Only optional permissions were missing.
    const denied = (await server.bare.call("ACL", "LOG")) as string[][];
    const optional = ["info", "client|setname", "config|get"];
    for (const entry of denied) expect(optional).toContain(entry[entry.indexOf("object") + 1]);
  });

  test("are all there is, and none of them too many", async () => {
    const server = await serverFor();
    await server.bare.config("RESETSTAT");
    await exercise(server, await userOf(server, needed));
    await server.bare.call("ACL", "LOG", "RESET");
    const options = await userOf(server, [...needed, ...besides]);
    await exercise(server, options);
    await exercise(server, { ...options, db: 1 } as RedisOptions);
    // The store looks for values that another program left under its names.
    const store = storeOn(options);
    await store.set("k", 1);
    const [index] = await server.bare.keys("kv:*}keys");
    await server.bare.set(String(index), "theirs");
    await refusalOf(store.set("new", 1));
    const cache = storeOn({ ...options, prefix: "kv:cache:", ordered: false });
    await cache.setMany([
      ["a", 1],
      ["b", 2],
    ]);
    expect(await cache.clear()).toBe(2);
    expect(await server.bare.call("ACL", "LOG")).toEqual([]);
    const used = new Set(
      [...(await server.bare.info("commandstats")).matchAll(/cmdstat_(\S+?):/g)].map((match) => match[1]),
    );
    const granted = [...needed, ...besides]
      .filter((rule) => rule.startsWith("+"))
      .map((rule) => rule.slice(1));
    // Commands of a Cluster, and the PING sent in place of a write that must not be sent twice.
    const elsewhere = ["cluster|slots", "cluster|info", "asking", "ping"];
    expect(granted.filter((command) => !used.has(command) && !elsewhere.includes(command))).toEqual([]);
  });
});
