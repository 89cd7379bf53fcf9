import { createStore } from "@kv/core";
import { Cluster, Command, type RedisOptions as DriverOptions, Redis } from "ioredis";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { redis } from "../../src/index.ts";
import { needsServer } from "../support/server.ts";
import { eventually, keysOf, refusalOf, serverFor, storeOn } from "../support/stores.ts";

function clientOf(options: Omit<DriverOptions, "replyMapping">): Redis {
  const client = new Redis(options);
  client.on("error", () => undefined);
  onTestFinished(() => client.disconnect());
  return client;
}

describe("a client handed in", () => {
  beforeEach(needsServer);

  test.each([
    ["keyPrefix", () => new Redis({ lazyConnect: true, keyPrefix: "app:" })],
    ["keyPrefix", () => new Cluster([{}], { lazyConnect: true, keyPrefix: "app:" })],
    ["keyPrefix", () => new Cluster([{}], { lazyConnect: true, redisOptions: { keyPrefix: "app:" } })],
    ["readOnly", () => new Redis({ lazyConnect: true, readOnly: true })],
    ["monitor", () => new Redis({ lazyConnect: true, monitor: true })],
    ["role", () => new Redis({ lazyConnect: true, sentinels: [{ host: "a" }], name: "m", role: "slave" })],
    ["db", () => new Cluster([{}], { lazyConnect: true, redisOptions: { db: 1 } })],
    ["scaleReads", () => new Cluster([{}], { lazyConnect: true, scaleReads: "all" })],
  ])("with %s is refused", (option, client) => {
    expect(() => redis({ client: client() })).toThrow(
      expect.objectContaining({ code: "KV_INVALID_OPTION", message: expect.stringContaining(option) }),
    );
  });

  test("that is within a MULTI acknowledges nothing that may never be done", async () => {
    const server = await serverFor();
    const client = clientOf({ port: server.port });
    const store = storeOn({ client });
    await store.set("k", 0);
    await client.multi({ pipeline: false });
    const refused = { code: "KV_UNAVAILABLE", retryable: false, message: expect.stringContaining("MULTI") };
    expect(await refusalOf(store.set("k", 1))).toMatchObject(refused);
    expect(await refusalOf(store.get("k"))).toMatchObject(refused);
    expect(await refusalOf(store.set("large", "x".repeat(10_000)))).toMatchObject(refused);
    expect(await refusalOf(store.increment("k"))).toMatchObject(refused);
    await client.discard();
    expect(await store.get("k")).toBe(0);
  });

  test.each<[string, Omit<DriverOptions, "replyMapping">]>([
    ["RESP2", { protocol: 2 }],
    ["automatic pipelines", { enableAutoPipelining: true }],
    ["neither offline queue nor ready check", { enableOfflineQueue: false, enableReadyCheck: false }],
    ["endless retries", { maxRetriesPerRequest: null }],
  ])("with %s serves as any other", async (_, options) => {
    const server = await serverFor();
    const store = storeOn({ client: clientOf({ ...options, port: server.port }) });
    const seen: string[] = [];
    await store.subscribe(({ type, key }) => void seen.push(`${type} ${key}`));
    await store.set("a", 1, { ttl: 60 });
    await store.setCache("b", "x".repeat(10_000));
    await store.namespace("n").set("c", 1);
    expect(await store.increment("count", 0.5)).toBe(0.5);
    expect(await store.count({ prefix: "a" })).toBe(1);
    expect(await store.stats()).toMatchObject({ keys: 3, expiring: 1, evictable: 1 });
    expect(await keysOf(store)).toEqual(["a", "b", "count"]);
    expect(await store.listNamespaces()).toEqual([["n"]]);
    expect(await store.clearCache()).toBe(1);
    await eventually(async () => expect(seen).toContain("delete b"));
  });

  test("with the replies of RESP3 serves as any other", async () => {
    const server = await serverFor();
    const client = new Redis({ port: server.port, protocol: 3, replyMapping: "resp3" });
    onTestFinished(() => client.disconnect());
    const store = storeOn({ client: client as unknown as Redis });
    await store.setMany(
      [
        ["a", 1],
        ["a:b", "x".repeat(10_000)],
      ],
      { ttl: 60 },
    );
    expect(await store.scope("a").stats()).toMatchObject({ keys: 1, expiring: 1 });
    expect(await keysOf(store)).toEqual(["a", "a:b"]);
    expect(await store.listNamespaces()).toEqual([]);
    expect(await store.sweep()).toBe(0);
    await server.bare.config("SET", "proto-max-bulk-len", "1048576");
    const other = storeOn({ client: client as unknown as Redis });
    expect(await refusalOf(other.set("k", "x".repeat(2_000_000)))).toMatchObject({ code: "KV_CAPACITY" });
  });

  test("whose driver transforms replies and arguments serves as any other", async () => {
    const server = await serverFor();
    const names = ["get", "mget", "set", "evalsha", "hscan"] as const;
    for (const name of names) {
      Command.setReplyTransformer(name, () => "transformed");
      Command.setArgumentTransformer(name, () => ["transformed"]);
    }
    onTestFinished(() => {
      const { argument, reply } = Reflect.get(Command, "_transformer") as Record<
        "argument" | "reply",
        object
      >;
      for (const name of names)
        for (const transformers of [argument, reply]) Reflect.deleteProperty(transformers, name);
    });
    const store = storeOn({ client: clientOf({ port: server.port }) });
    await store.set("a", 1);
    await store.set("b", "x".repeat(10_000));
    expect(await store.getMany(["a"])).toEqual([1]);
    expect(await store.get("b")).toBe("x".repeat(10_000));
    expect(await store.listNamespaces()).toEqual([]);
  });

  test("with commandTimeout says that it was over", async () => {
    const server = await serverFor();
    const client = clientOf({ port: server.port, commandTimeout: 100 });
    const store = storeOn({ client });
    await store.set("k", 1);
    await server.bare.client("PAUSE", 500, "ALL");
    expect(await refusalOf(store.get("k"))).toMatchObject({ code: "KV_TIMEOUT" });
    expect(await refusalOf(store.set("k", 2))).toMatchObject({ retryable: false });
    await eventually(() => store.set("k", 3));
  });

  test("that its owner has subscribed with is refused with the reason", async () => {
    const server = await serverFor();
    const client = clientOf({ port: server.port, protocol: 2 });
    const store = storeOn({ client });
    await store.set("k", 1);
    await client.subscribe("news");
    expect(await refusalOf(store.get("k"))).toMatchObject({
      code: "KV_UNAVAILABLE",
      message: expect.stringContaining("subscribes"),
    });
  });

  test("serves many stores without a warning of leaking listeners, and keeps none of theirs", async () => {
    const server = await serverFor();
    const client = clientOf({ port: server.port });
    await client.ping();
    const before = client.listenerCount("error");
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    onTestFinished(() => warned.mockRestore());
    const stores = Array.from({ length: 30 }, (_, i) =>
      createStore(redis({ client, prefix: `p${i}:`, waitForReconnect: true })),
    );
    await Promise.all(stores.map((store) => store.set("k", 1)));
    await server.bare.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await Promise.all(stores.flatMap((store) => Array.from({ length: 20 }, (_, i) => store.get(`k${i}`))));
    await Promise.all(stores.map((store) => store.close()));
    expect(warned).not.toHaveBeenCalled();
    expect(client.listenerCount("error")).toBe(before);
  });
});
