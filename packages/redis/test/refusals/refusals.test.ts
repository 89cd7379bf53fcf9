import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createWebServer } from "node:http";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { freePort, needsServer, type TestServer } from "../support/server.ts";
import { eventually, refusalOf, serverFor, storeOn } from "../support/stores.ts";

async function portOf(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function userOf({ bare, port }: TestServer, ...rules: string[]) {
  await bare.call("ACL", "SETUSER", "some", "reset", "on", ">pw", "~*", "&*", "+@all", ...rules);
  return { port, username: "some", password: "pw" };
}

const says = (...words: string[]) => ({
  message: expect.stringMatching(new RegExp(words.map((word) => `(?=[^]*${word})`).join(""))),
});

describe("what the server refuses", () => {
  beforeEach(needsServer);

  test("a user who may not ask for INFO or CONFIG misses what they say, and nothing else", async () => {
    const server = await serverFor();
    const store = storeOn(await userOf(server, "-info", "-config"));
    await store.set("k", 1);
    expect(await store.stats()).toMatchObject({ keys: 1, backend: {} });
    expect(await store.sweep()).toBe(0);
  });

  test.each([
    ["a command", ["-evalsha", "-eval"], ["Permissions", "evalsha"]],
    ["a command within a script", ["-zadd"], ["Permissions"]],
    ["these keys", ["resetkeys", "~other:*"], ["keys", "prefix"]],
  ])("%s that is not permitted is named, with what to grant", async (_, rules, words) => {
    const server = await serverFor();
    const store = storeOn(await userOf(server, ...rules));
    const error = await refusalOf(store.set("k", 1));
    expect(error).toMatchObject({ code: "KV_UNAVAILABLE", retryable: false, ...says(...words) });
    expect(error.message).not.toContain("running and reachable");
  });

  test("a channel that is not permitted is named", async () => {
    const server = await serverFor();
    const store = storeOn(await userOf(server, "resetchannels"));
    await store.set("k", 1);
    expect(await refusalOf(store.subscribe(() => undefined))).toMatchObject({
      code: "KV_UNAVAILABLE",
      retryable: false,
      ...says("channels"),
    });
  });

  test("scripts that the server does not run", async () => {
    const server = await serverFor("--rename-command", "EVALSHA", "");
    expect(await refusalOf(storeOn({ port: server.port }).set("k", 1))).toMatchObject({
      code: "KV_UNSUPPORTED",
      ...says("scripts"),
    });
  });

  test("a value that is too long is refused alone, whoever is beside it", async () => {
    const server = await serverFor("--proto-max-bulk-len", "1mb");
    const store = storeOn({ port: server.port });
    const large = "x".repeat(2_000_000);
    const results = await Promise.allSettled([
      store.set("small", 1),
      store.set("large", large),
      store.set("medium", "y".repeat(100_000)),
      store.atomic().set("a", 1).set("b", large).commit(),
      store.increment("count"),
    ]);
    expect(results.map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    for (const result of results) {
      if (result.status === "rejected")
        expect(result.reason).toMatchObject({ code: "KV_CAPACITY", ...says("proto-max-bulk-len") });
    }
    expect(await store.getMany(["small", "a", "b", "count"])).toEqual([1, undefined, undefined, 1]);
    // The longest value that fits.
    await store.set("fits", new Uint8Array(1024 * 1024 - 200));
  });

  test("a value that is too long is not written either where the server does not tell its limit", async () => {
    const server = await serverFor("--proto-max-bulk-len", "1mb");
    const store = storeOn(await userOf(server, "-config"));
    await store.set("k", 1);
    const error = await refusalOf(store.set("large", "x".repeat(2_000_000)));
    // The server gives its reason and closes the connection; the close may be noticed first.
    if (error.code === "KV_CAPACITY") expect(error).toMatchObject(says("proto-max-bulk-len"));
    else expect(error).toMatchObject({ code: "KV_UNAVAILABLE", retryable: false, ...says("unknown") });
    await eventually(() => store.set("k", 2));
    expect(await store.has("large")).toBe(false);
  });

  test("a full memory, a replica, a snapshot that failed, too few replicas", async () => {
    const server = await serverFor();
    const store = storeOn({ port: server.port });
    await store.set("k", 1);
    await server.bare.config("SET", "maxmemory", "1");
    for (const value of [2, "x".repeat(10_000)])
      expect(await refusalOf(store.set("k", value))).toMatchObject({
        code: "KV_CAPACITY",
        ...says("maxmemory"),
      });
    expect(await refusalOf(store.increment("k"))).toMatchObject({
      code: "KV_CAPACITY",
      ...says("maxmemory"),
    });
    await server.bare.config("SET", "maxmemory", "0");
    await server.bare.config("SET", "min-replicas-to-write", "1");
    expect(await refusalOf(store.set("k", 2))).toMatchObject({
      code: "KV_UNAVAILABLE",
      retryable: true,
      ...says("replicas"),
    });
    await server.bare.config("SET", "min-replicas-to-write", "0");
    const replica = await serverFor("--replicaof", "127.0.0.1", String(server.port));
    const reader = storeOn({ port: replica.port });
    await eventually(async () => expect(await reader.get("k")).toBe(1));
    expect(await refusalOf(reader.set("k", 2))).toMatchObject({
      code: "KV_READ_ONLY",
      ...says("replica", "master"),
    });
  });

  test("a snapshot that could not be written", async () => {
    const path = mkdtempSync(join(tmpdir(), "kv-redis-"));
    const server = await serverFor("--dir", path, "--save", "3600 1");
    const store = storeOn({ port: server.port });
    await store.set("k", 1);
    rmSync(path, { recursive: true });
    await server.bare.bgsave();
    await eventually(async () =>
      expect(await refusalOf(store.set("k", 2))).toMatchObject({ code: "KV_CAPACITY", ...says("disk") }),
    );
    expect(await store.get("k")).toBeGreaterThan(0);
    expect(await store.count()).toBe(1);
  });

  test("a server that runs another client's script is waited for, and then said to be busy", async () => {
    const server = await serverFor("--busy-reply-threshold", "20");
    const store = storeOn({ port: server.port, busyTimeout: 300 });
    await store.set("k", 1);
    const other = server.bare.duplicate();
    onTestFinished(() => other.disconnect());
    const script = other.eval("while true do end", 0).catch(() => undefined);
    await eventually(async () =>
      expect(await refusalOf(store.get("k"))).toMatchObject({
        code: "KV_UNAVAILABLE",
        ...says("SCRIPT KILL"),
      }),
    );
    expect(await refusalOf(store.set("k", 2))).toMatchObject({
      code: "KV_UNAVAILABLE",
      retryable: true,
      ...says("SCRIPT KILL"),
    });
    const [waiting] = [storeOn({ port: server.port, busyTimeout: 4000 }).set("k", 3)];
    await server.bare.script("KILL");
    await script;
    await waiting;
    expect(await store.get("k")).toBe(3);
  });

  test("operations that wait for one another wait together while the server refuses", async () => {
    const server = await serverFor("--busy-reply-threshold", "20");
    const store = storeOn({ port: server.port, busyTimeout: 600 });
    await store.set("k", 1);
    const other = server.bare.duplicate();
    onTestFinished(() => other.disconnect());
    const script = other.eval("while true do end", 0).catch(() => undefined);
    await sleep(100);
    const began = performance.now();
    const ended = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const error = await refusalOf(store.update("k", (n) => Number(n) + 1));
        expect(error).toMatchObject({ code: "KV_UNAVAILABLE", ...says("SCRIPT KILL") });
        return performance.now() - began;
      }),
    );
    // In sequence they would take 3.6 s.
    for (const took of ended) expect(took).toBeLessThan(2500);
    await server.bare.script("KILL");
    await script;
    expect(await store.get("k")).toBe(1);
  });

  test("no more connections", async () => {
    const server = await serverFor("--maxclients", "1");
    await server.bare.ping();
    const store = storeOn({ port: server.port });
    expect(await refusalOf(store.get("k"))).toMatchObject({
      code: "KV_UNAVAILABLE",
      retryable: true,
      ...says("maxclients"),
    });
  });

  test("a web server in place of Redis", async () => {
    const port = await portOf(createWebServer((_, response) => void response.end("hello")));
    expect(await refusalOf(storeOn({ port }).get("k"))).toMatchObject({
      code: "KV_UNAVAILABLE",
      retryable: false,
      ...says("no Redis"),
    });
  });

  test("TLS where there is none", async () => {
    const server = await serverFor();
    expect(
      await refusalOf(storeOn({ url: `rediss://127.0.0.1:${server.port}`, connectTimeout: 500 }).get("k")),
    ).toMatchObject({
      code: "KV_UNAVAILABLE",
      ...says("TLS"),
    });
  });

  test("a Cluster that is none, and a node of one that is not asked as a Cluster", async () => {
    const server = await serverFor();
    expect(await refusalOf(storeOn({ cluster: [`127.0.0.1:${server.port}`] }).get("k"))).toMatchObject({
      code: "KV_UNAVAILABLE",
      retryable: false,
      ...says("not part of a Cluster", "url"),
    });
    const node = await serverFor("--cluster-enabled", "yes");
    await node.bare.cluster("ADDSLOTS", ...Array.from({ length: 8000 }, (_, slot) => slot));
    await node.bare.config("SET", "cluster-require-full-coverage", "no");
    const other = await serverFor("--cluster-enabled", "yes");
    await other.bare.cluster("ADDSLOTS", ...Array.from({ length: 8384 }, (_, slot) => slot + 8000));
    await node.bare.cluster("MEET", "127.0.0.1", other.port);
    await eventually(async () =>
      expect(await node.bare.cluster("INFO")).toContain("cluster_slots_assigned:16384"),
    );
    // Some of the namespaces are on the other node.
    const prefixes = Array.from({ length: 8 }, (_, i) => `p${i}:`);
    await eventually(async () => {
      const outcomes = await Promise.allSettled(
        prefixes.map((prefix) => storeOn({ port: node.port, prefix }).set("k", 1)),
      );
      const refused = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
      expect(refused.length).toBeGreaterThan(0);
      for (const error of refused)
        expect(error).toMatchObject({ code: "KV_UNAVAILABLE", retryable: false, ...says("option cluster") });
    });
  });

  test("a server that is too old", async () => {
    const port = await portOf(
      createServer((socket) => {
        socket.on("error", () => undefined);
        socket.on("data", (data) => {
          const commands = String(data).split("*").slice(1);
          for (const command of commands) {
            const name = command.split("\r\n")[2]?.toLowerCase();
            if (name === "info") socket.write("$23\r\nredis_version:5.0.14\r\nx:1\r\n");
            else if (name === "time") socket.write("*2\r\n$10\r\n1700000000\r\n$1\r\n0\r\n");
            else if (name === "get") socket.write("$-1\r\n");
            else if (name === "set") socket.write("+OK\r\n");
            else socket.write(`-ERR unknown command '${name}'\r\n`);
          }
        });
      }),
    );
    expect(await refusalOf(storeOn({ port }).get("k"))).toMatchObject({
      code: "KV_UNSUPPORTED",
      ...says("6.2"),
    });
  });

  test("no server at all is said to be none, whichever way it is looked for", async () => {
    const port = await freePort();
    for (const options of [
      { port },
      { cluster: [`127.0.0.1:${port}`] },
      { sentinels: [`127.0.0.1:${port}`], name: "mymaster" },
    ]) {
      const error = await refusalOf(storeOn(options).get("k"));
      expect(error).toMatchObject({
        code: "KV_UNAVAILABLE",
        retryable: true,
        ...says("running and reachable"),
      });
    }
  });

  test("what another program has put under a name of the store is named", async () => {
    const server = await serverFor();
    const store = storeOn({ port: server.port });
    await store.setMany([
      ["a", 1],
      ["b", 2],
    ]);
    const [index] = await server.bare.keys("*}keys");
    await server.bare.set(String(index), "theirs");
    expect(await refusalOf(store.set("new", 1))).toMatchObject({
      code: "KV_CORRUPT",
      ...says("string", "keys"),
    });
    await server.bare.del(String(index));
    const [name] = await server.bare.keys("*:a");
    await server.bare.del(String(name));
    await server.bare.lpush(String(name), "theirs");
    expect(await refusalOf(store.increment("a"))).toMatchObject({
      code: "KV_CORRUPT",
      ...says("list", ":a"),
    });
    expect(await refusalOf(store.get("a"))).toMatchObject({ code: "KV_CORRUPT" });
  });
});
