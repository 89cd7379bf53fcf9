import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { createStore } from "@kv/core";
import { Cluster, Redis } from "ioredis";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type RedisOptions, redis } from "../../src/index.ts";
import { freePort, needsServer, startServer, type TestServer } from "../support/server.ts";
import { eventually, proxyFor, refusalOf, serverFor, storeOn } from "../support/stores.ts";

/** Turns a server into a Cluster of one node. */
async function allSlots({ bare }: TestServer): Promise<void> {
  await bare.cluster("ADDSLOTS", ...Array.from({ length: 16_384 }, (_, slot) => slot));
  await eventually(async () => expect(await bare.cluster("INFO")).toContain("cluster_state:ok"));
}

async function connectionsTo({ bare }: TestServer): Promise<number> {
  return String(await bare.client("LIST"))
    .trim()
    .split("\n").length;
}

describe("the connection", () => {
  beforeEach(needsServer);
  test("no server: refused at once, and the same store works when there is one", async () => {
    const port = await freePort();
    const store = storeOn({ port });
    const began = performance.now();
    expect(await refusalOf(store.get("k"))).toMatchObject({ code: "KV_UNAVAILABLE", retryable: true });
    expect(performance.now() - began).toBeLessThan(2000);
    const server = await startServer([], port);
    onTestFinished(() => server.stop());
    await store.set("k", 1);
    expect(await store.get("k")).toBe(1);
  });

  test("the server goes and comes back: refused meanwhile, and what was never sent may be retried", async () => {
    const server = await startServer();
    const store = storeOn({ port: server.port });
    await store.set("k", 1);
    await server.stop();
    await sleep(50);
    expect(await refusalOf(store.set("k", 2))).toMatchObject({ code: "KV_UNAVAILABLE", retryable: true });
    expect(await refusalOf(store.get("k"))).toMatchObject({ code: "KV_UNAVAILABLE", retryable: true });
    const again = await startServer([], server.port);
    onTestFinished(() => again.stop());
    await eventually(() => store.set("k", 3));
    expect(await store.get("k")).toBe(3);
  });

  test("with waitForReconnect operations wait for the server", async () => {
    const server = await startServer();
    const store = storeOn({ port: server.port, waitForReconnect: true });
    await store.set("k", 1);
    await server.stop();
    await sleep(50);
    const waiting = [store.set("k", 2), store.get("other")];
    await sleep(300);
    const again = await startServer([], server.port);
    onTestFinished(() => again.stop());
    await Promise.all(waiting);
    expect(await store.get("k")).toBe(2);
  });

  test.each([
    ["a connection of ours", (port: number): RedisOptions => ({ port })],
    [
      "a client that repeats what was not answered",
      (port: number): RedisOptions => {
        const client = new Redis(port, "127.0.0.1", { retryStrategy: () => 20 });
        onTestFinished(() => client.disconnect());
        return { client };
      },
    ],
  ])("an answer that is lost is never asked for twice: %s", async (_, options) => {
    const server = await serverFor();
    const proxy = await proxyFor(server);
    const store = storeOn(options(proxy.port));
    const witness = storeOn({ port: server.port });
    await store.increment("count", 0);
    await store.set("other", 0);
    proxy.dropNextAnswer();
    const error = await refusalOf(store.increment("count"));
    expect(error).toMatchObject({ code: "KV_UNAVAILABLE", retryable: false });
    expect(error.message).toContain("unknown");
    await eventually(() => store.set("other", 1));
    await sleep(100);
    expect(await witness.get("count")).toBe(1);
  });

  test("a lost answer leaves doubt about a commit with a large value, too", async () => {
    const server = await serverFor();
    const proxy = await proxyFor(server);
    const store = storeOn({ port: proxy.port });
    const witness = storeOn({ port: server.port });
    await store.increment("count", 0);
    proxy.dropNextAnswer();
    const error = await refusalOf(
      store.atomic().set("large", "x".repeat(10_000)).increment("count").commit(),
    );
    expect(error).toMatchObject({ code: "KV_UNAVAILABLE", retryable: false });
    expect(error.message).toContain("unknown");
    const [count, large] = await witness.getMany(["count", "large"]);
    expect(count).toBe(large === undefined ? 0 : 1);
  });

  test("a connection that went silent is given up, and replaced", async () => {
    const server = await serverFor();
    const proxy = await proxyFor(server);
    const store = storeOn({ port: proxy.port, socketTimeout: 300 });
    await store.set("k", 1);
    proxy.silent = true;
    const began = performance.now();
    expect(await refusalOf(store.set("k", 2))).toMatchObject({ code: "KV_UNAVAILABLE", retryable: false });
    expect(performance.now() - began).toBeLessThan(2000);
    proxy.silent = false;
    proxy.cut();
    await eventually(() => store.set("k", 3));
  });

  test("a process that was busy for longer than a server may be silent reads what has come meanwhile", async () => {
    const server = await serverFor();
    const store = storeOn({ port: server.port, socketTimeout: 500 });
    await store.set("k", 1);
    const value = store.get("k");
    // It has been sent by then.
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500));
    expect(await value).toBe(1);
  });

  test("a wrong password is said to be wrong, and is nowhere to be seen", async () => {
    const server = await serverFor("--requirepass", "right-secret");
    for (const options of [
      { url: `redis://:wrong-secret@127.0.0.1:${server.port}` },
      { port: server.port, username: "nobody", password: "wrong-secret" },
      { port: server.port },
    ]) {
      const error = await refusalOf(storeOn(options).get("k"));
      expect(error).toMatchObject({ code: "KV_UNAVAILABLE", retryable: false });
      expect(error.message).toContain("password");
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("wrong-secret");
    }
    const store = storeOn({ port: server.port, password: "right-secret" });
    await store.set("k", 1);
    expect(inspect(await store.stats(), { depth: 10 })).not.toContain("right-secret");
  });

  test("a replica is read and not written", async () => {
    const server = await serverFor();
    const writer = storeOn({ port: server.port });
    await writer.set("k", 1);
    const replica = await serverFor("--replicaof", "127.0.0.1", String(server.port));
    const store = storeOn({ port: replica.port });
    await eventually(async () => expect(await store.get("k")).toBe(1));
    expect(await refusalOf(store.set("k", 2))).toMatchObject({ code: "KV_READ_ONLY" });
    expect(await store.count()).toBe(1);
  });

  test("a replica counts what is there, although it cannot take out what has expired", async () => {
    const server = await serverFor();
    const writer = storeOn({ port: server.port });
    await writer.setMany(
      [
        ["gone a", 1],
        ["gone b", 1],
      ],
      { ttl: 0.2 },
    );
    await writer.namespace("gone").set("k", 1, { ttl: 0.2 });
    // The deadline was postponed, but the index still has the earlier one.
    await writer.setMany([["later", 1]], { ttl: 0.2 });
    await writer.setMany([["later", 1]], { ttl: 600 });
    await writer.set("k", 1);
    const replica = await serverFor("--replicaof", "127.0.0.1", String(server.port));
    const store = storeOn({ port: replica.port });
    await eventually(async () => expect(await store.get("k")).toBe(1));
    await eventually(async () => expect(await store.has("gone b")).toBe(false));
    await eventually(async () => expect(await store.listNamespaces()).toEqual([]));
    expect(await store.count()).toBe(2);
    expect(await store.count({ prefix: "gone" })).toBe(0);
    expect(await store.stats()).toMatchObject({ keys: 2 });
  });

  test("a client handed in stays open, connected or not", async () => {
    const server = await serverFor();
    const client = new Redis(server.port, "127.0.0.1", { lazyConnect: true });
    const store = createStore(redis({ client }));
    await store.set("k", 1);
    await client.set("own", "1");
    await store.close();
    expect(client.status).toBe("ready");
    expect(await client.get("own")).toBe("1");
    client.disconnect();
    await sleep(20);
    expect(await refusalOf(storeOn({ client }).get("k"))).toMatchObject({ code: "KV_UNAVAILABLE" });
  });

  test("a client whose owner has selected another database watches that one", async () => {
    const server = await serverFor();
    const client = new Redis(server.port, "127.0.0.1");
    onTestFinished(() => client.disconnect());
    await client.select(3);
    const store = storeOn({ client });
    const seen: string[] = [];
    await store.subscribe(({ type, key }) => void seen.push(`${type} ${key}`));
    await storeOn({ port: server.port, db: 3 }).set("k", 1);
    await eventually(async () => expect(seen).toEqual(["set k"]));
  });

  test("what is written by a user who may not publish is written, and watchers learn of the gap", async () => {
    const server = await serverFor();
    const watched = storeOn({ port: server.port });
    const seen: string[] = [];
    await watched.subscribe(({ type }) => void seen.push(type));
    await server.bare.call("ACL", "SETUSER", "mute", "on", ">pw", "~*", "+@all", "resetchannels");
    const mute = storeOn({ port: server.port, username: "mute", password: "pw" });
    await mute.set("small", 1);
    await mute.set("large", "x".repeat(10_000));
    await mute.atomic().set("a", 1).set("b", 2).commit();
    expect(await watched.count()).toBe(4);
    await eventually(async () => expect(seen).toContain("resync"));
  });

  test("watchers are told of a gap, and only of a gap", async () => {
    const server = await serverFor();
    const proxy = await proxyFor(server);
    const store = storeOn({ port: proxy.port });
    const witness = storeOn({ port: server.port });
    const seen: string[] = [];
    await store.subscribe(({ type, key, value }) => {
      seen.push([type, key, value].filter((part) => part !== undefined).join(" "));
    });
    await witness.set("a", 1);
    await eventually(async () => expect(seen).toEqual(["set a 1"]));
    proxy.cut();
    await eventually(() => store.get("a"));
    await sleep(1500);
    expect(seen).toEqual(["set a 1"]);
    proxy.cut();
    await witness.set("a", 2);
    await eventually(async () => expect(seen.at(-1)).toBe("resync"));
    expect(seen).not.toContain("set a 2");
    // If the watcher is not connected yet, this message is lost, too, and the gap is reported again.
    await eventually(async () => {
      await witness.set("a", 3);
      expect(seen.at(-1)).toBe("set a 3");
    });
    await server.bare.flushall();
    await eventually(async () => expect(seen.at(-1)).toBe("resync"));
    await witness.set("b", 4);
    await eventually(async () => expect(seen.at(-1)).toBe("set b 4"));
  });

  test.each<[string, readonly string[], (port: number) => RedisOptions]>([
    ["a connection of ours", [], (port) => ({ port, socketTimeout: 300 })],
    [
      "a client without socketTimeout",
      [],
      (port) => {
        const client = new Redis(port, "127.0.0.1");
        onTestFinished(() => client.disconnect());
        return { client, busyTimeout: 500 };
      },
    ],
    [
      "a Cluster without socketTimeout",
      ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"],
      (port) => {
        const client = new Cluster([{ port }], { natMap: () => ({ host: "127.0.0.1", port }) });
        onTestFinished(() => client.disconnect());
        return { client, busyTimeout: 500 };
      },
    ],
  ])(
    "a watcher whose connection went silent is told of the gap, and then of changes again: %s",
    async (_, args, options) => {
      const server = await serverFor(...args);
      if (args.length > 0) await allSlots(server);
      const proxy = await proxyFor(server);
      const store = storeOn(options(proxy.port));
      const witness = storeOn({ port: server.port });
      await witness.set("before", 1);
      await store.get("before");
      const connections = await connectionsTo(server);
      const seen: string[] = [];
      const subscription = await store.subscribe(
        ({ type, key }) => void seen.push(key === undefined ? type : `${type} ${key}`),
      );
      proxy.silence();
      await witness.set("during", 1);
      await eventually(async () => expect(seen).toContain("resync"));
      await eventually(async () => {
        await witness.set("after", 1);
        expect(seen).toContain("set after");
      });
      await witness.set("last", 1);
      await eventually(async () => expect(seen).toContain("set last"));
      // No answer is due now, so silence does not count as loss.
      seen.length = 0;
      await sleep(1_500);
      expect(seen).toEqual([]);
      await subscription.unsubscribe();
      await eventually(async () => expect(await connectionsTo(server)).toBeLessThanOrEqual(connections));
    },
  );
});
