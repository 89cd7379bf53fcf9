import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { freePort, needsServer, startServer } from "../support/server.ts";
import { eventually, keysOf, refusalOf, serverFor, storeOn } from "../support/stores.ts";

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), "kv-redis-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe("a server that starts again", () => {
  beforeEach(needsServer);

  test("from a backup: nothing of the lost future holds, and an open store goes on", async () => {
    const path = directory();
    const server = await serverFor("--dir", path);
    const store = storeOn({ port: server.port });
    await store.setMany(Array.from({ length: 20 }, (_, i) => [`k${String(i).padStart(2, "0")}`, i]));
    await store.set("soon", 1, { ttl: 0.5 });
    await server.bare.save();
    copyFileSync(join(path, "dump.rdb"), join(path, "backup.rdb"));
    const seen: string[] = [];
    await store.subscribe(({ type }) => void seen.push(type));
    const { cursor } = await store.page({ limit: 10 });
    const lost = await store.set("k00", "lost");
    await store.set("only in the lost future", 1);
    const created = await store.getMetadata("only in the lost future");
    await server.stop();
    copyFileSync(join(path, "backup.rdb"), join(path, "dump.rdb"));
    const again = await startServer(["--dir", path], server.port);
    onTestFinished(() => again.stop());
    await eventually(async () => expect(await store.get("k00")).toBe(0));
    await eventually(async () => expect(seen).toContain("resync"));
    await store.set("k00", "another");
    expect(await store.replace("k00", "wrong", { revision: lost })).toBeUndefined();
    await store.set("only in the lost future", 2);
    expect(await store.delete("only in the lost future", { revision: String(created?.revision) })).toBe(
      false,
    );
    const rest = await store.page({ limit: 100, ...(cursor === undefined ? {} : { cursor }) });
    expect(rest.entries.map(({ key }) => key)).toContain("k10");
    expect(rest.entries.map(({ key }) => key)).not.toContain("k09");
    // Its deadline is a point in time, and has passed.
    await eventually(async () => expect(await store.has("soon")).toBe(false));
    await eventually(async () => {
      await store.set("told", 1);
      expect(seen.at(-1)).toBe("set");
    });
  });

  test.each([
    ["a user who may ask for INFO", "+info", 0],
    ["a user who may ask for INFO", "+info", 1],
    ["a user who may ask for INFO", "+info", 2],
    ["a user who may ask for INFO", "+info", 3],
    ["a user who may not", "-info", 0],
    ["a user who may not", "-info", 3],
  ])(
    "from a snapshot of a moment ago: watchers are told, whatever is written before they are back: %s, %s, %i writes",
    async (_, info, writes) => {
      const path = directory();
      const users = ["--user", "app", "on", ">pw", "~*", "&*", "+@all", info];
      const server = await serverFor("--dir", path, ...users);
      const store = storeOn({ port: server.port, username: "app", password: "pw" });
      const seen: string[] = [];
      await store.subscribe(({ type, key }) => void seen.push(key === undefined ? type : `${type} ${key}`));
      for (const key of ["a", "b", "c"]) await store.set(key, 1);
      await server.bare.save();
      // These two are lost, and their messages' numbers with them.
      for (const key of ["d", "e"]) await store.set(key, 1);
      await eventually(async () => expect(seen).toContain("set e"));
      await server.stop();
      const again = await startServer(["--dir", path, ...users], server.port);
      onTestFinished(() => again.stop());
      const witness = storeOn({ port: server.port });
      for (let i = 0; i < writes; i++) await witness.set(`new ${i}`, 1);
      await eventually(async () => expect(seen).toContain("resync"));
      await eventually(async () => {
        await witness.set("after", 1);
        expect(seen.at(-1)).toBe("set after");
      });
    },
  );

  test("and still loads its data is waited for", async () => {
    const path = directory();
    const server = await serverFor("--dir", path);
    const store = storeOn({ port: server.port, prefix: "kv:" });
    await store.setMany(Array.from({ length: 1000 }, (_, i) => [`k${i}`, i]));
    await server.bare.save();
    await server.stop();
    const slow = [
      "--dir",
      path,
      "--key-load-delay",
      "1000",
      "--loading-process-events-interval-bytes",
      "1024",
    ];
    const starting = startServer(slow, server.port);
    const fresh = storeOn({ port: server.port });
    const impatient = storeOn({ port: server.port, busyTimeout: 50 });
    let [refused, loaded] = ["", 0];
    await eventually(async () => {
      await impatient.get("k1").catch((error: Error) => {
        if (error.message.includes("loading")) refused = error.message;
        else throw error;
      });
      if (refused !== "" && loaded === 0) loaded = (await fresh.get("k1")) === 1 ? 1 : 0;
      expect(await store.get("k999")).toBe(999);
    });
    const again = await starting;
    onTestFinished(() => again.stop());
    expect(refused).toContain("try again");
    expect(loaded).toBe(1);
  });

  test("or reads its data anew keeps watchers", async () => {
    const server = await serverFor("--enable-debug-command", "yes");
    const store = storeOn({ port: server.port });
    const seen: string[] = [];
    await store.subscribe(({ type, key }) => void seen.push(`${type} ${key}`));
    await store.set("a", 1);
    await server.bare.call("DEBUG", "RELOAD");
    await store.set("b", 2);
    await eventually(async () => expect(seen).toEqual(["set a", "set b"]));
    expect(await keysOf(store)).toEqual(["a", "b"]);
  });
});

describe("limits of the server", () => {
  beforeEach(needsServer);

  test("a watcher whose buffer is full is told of the gap, and then of changes again", async () => {
    const server = await serverFor("--client-output-buffer-limit", "pubsub 64kb 64kb 1");
    const store = storeOn({ port: server.port });
    const writer = storeOn({ port: server.port });
    const seen = new Set<string>();
    await store.subscribe(({ type, key }) => void seen.add(key === undefined ? type : `${type} ${key}`));
    const long = "k".repeat(1000);
    for (let round = 0; round < 4; round++)
      await writer.setMany(Array.from({ length: 2000 }, (_, i) => [`${long}${round} ${i}`, i]));
    await eventually(async () => expect(seen).toContain("resync"));
    await eventually(async () => {
      await writer.set("after", 1);
      expect(seen).toContain("set after");
    });
  });

  test("a replica that has lost its master says so", async () => {
    const port = await freePort();
    const server = await serverFor("--replica-serve-stale-data", "no");
    await server.bare.replicaof("127.0.0.1", port);
    const error = await refusalOf(storeOn({ port: server.port, busyTimeout: 100 }).get("k"));
    expect(error).toMatchObject({ code: "KV_UNAVAILABLE", retryable: true });
    expect(error.message).toContain("lost its master");
  });

  test("a socket of this machine, with a database", async () => {
    const path = join(directory(), "redis.sock");
    const server = await serverFor("--unixsocket", path);
    const store = storeOn({ url: `unix://${path}?db=2` });
    const seen: string[] = [];
    await store.subscribe(({ key }) => void seen.push(String(key)));
    await storeOn({ port: server.port, db: 2 }).set("k", 1);
    expect(await store.get("k")).toBe(1);
    await eventually(async () => expect(seen).toEqual(["k"]));
    expect(await refusalOf(storeOn({ url: `unix://${path}?db=99` }).get("k"))).toMatchObject({
      code: "KV_INVALID_OPTION",
    });
    expect(await refusalOf(storeOn({ url: `unix://${path}.none` }).get("k"))).toMatchObject({
      code: "KV_UNAVAILABLE",
      retryable: true,
    });
  });

  test("a command that has been renamed is said to be missing", async () => {
    const server = await serverFor("--rename-command", "TIME", "");
    const error = await refusalOf(storeOn({ port: server.port }).get("k"));
    expect(error).toMatchObject({ code: "KV_UNSUPPORTED" });
    expect(error.message).toContain("TIME");
  });

  test.each(["layout", "namespaces"])("what another program has put under %s is named", async (name) => {
    const server = await serverFor();
    const store = storeOn({ port: server.port });
    await store.set("k", 1);
    const [taken] = await server.bare.keys(`*}${name}`);
    await server.bare.del(String(taken));
    await server.bare.sadd(String(taken), "theirs");
    const error = await refusalOf(storeOn({ port: server.port }).namespace("new").set("k", 1));
    expect(error).toMatchObject({ code: "KV_CORRUPT" });
    expect(error.message).toContain(String(taken));
  });
});
