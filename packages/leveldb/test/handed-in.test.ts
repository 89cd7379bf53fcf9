import { once } from "node:events";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { createStore } from "@kv/core";
import { ClassicLevel } from "classic-level";
import { Level } from "level";
import { describe, expect, onTestFinished, test } from "vitest";
import { type LevelDatabase, leveldb } from "../src/index.ts";
import { refusalOf, scratchPath } from "./scratch.ts";

describe("a database handed in", () => {
  test("may be of level or classic-level, with any encodings, or a sublevel, still opening or open", async () => {
    const level = new Level<number, { a: Date }>(await scratchPath(), { valueEncoding: "json" });
    const buffers = new ClassicLevel<Buffer, Uint8Array>(await scratchPath(), {
      keyEncoding: "buffer",
      valueEncoding: "view",
    });
    const sublevel = buffers.sublevel<string, unknown>("mine", { valueEncoding: "json" });
    for (const database of [level, buffers, sublevel] satisfies LevelDatabase[]) {
      const store = createStore(leveldb({ database }));
      await store.set("k", { n: 1 });
      await store.set("bytes", new Uint8Array([0, 10, 255]));
      await store.setMany([
        ["a", 1],
        ["b", 2, { ttl: 60 }],
      ]);
      expect(await store.get("bytes")).toEqual(new Uint8Array([0, 10, 255]));
      expect(await store.range("")).toEqual([
        ["a", 1],
        ["b", 2],
        ["bytes", new Uint8Array([0, 10, 255])],
        ["k", { n: 1 }],
      ]);
      expect(await store.count()).toBe(4);
      await store.close();
      expect(database.status).toBe("open");
    }
    await Promise.all([level.close(), buffers.close()]);
  });

  test("keeps whatever else it holds, and every sublevel of its owner", async () => {
    const database = new ClassicLevel(await scratchPath());
    onTestFinished(() => database.close());
    const theirs = ["", "!", "!kv", '!kv"', "!kw!a", "kv", "z"].filter((key) => key !== "");
    for (const key of theirs) await database.put(key, `value of ${key}`);
    const sublevel = database.sublevel("other");
    await sublevel.put("k", "1");
    const before = await database.iterator().all();
    const store = createStore(leveldb({ database }));
    await store.setMany([
      ["a", 1],
      ["b", 2, { ttl: 0.001 }],
    ]);
    await store.namespace("kw", "!").set("k", 1);
    await store.sweep();
    await store.clear({ namespaces: true });
    await store.close();
    const after = await database.iterator().all();
    expect(after.filter(([key]) => !key.startsWith("!kv!"))).toEqual(before);
  });

  test("is one store's under one prefix at a time, however it was come by", async () => {
    const database = new ClassicLevel(await scratchPath());
    onTestFinished(() => database.close());
    const first = createStore(leveldb({ database: database.sublevel("a") }));
    await first.set("k", "first");
    expect(await refusalOf({ database: database.sublevel("a") })).toMatchObject({
      code: "KV_UNAVAILABLE",
      message: expect.stringMatching(/another open store of this process/),
    });
    const other = createStore(leveldb({ database: database.sublevel("a"), prefix: "other" }));
    await other.set("k", "other");
    expect(await first.get("k")).toBe("first");
    await first.close();
    const again = createStore(leveldb({ database: database.sublevel("a") }));
    expect(await again.get("k")).toBe("first");
    await Promise.all([again.close(), other.close()]);
  });

  test("sublevels are told apart by where they are, however they were reached", async () => {
    const database = new ClassicLevel(await scratchPath());
    onTestFinished(() => database.close());
    const stores = ["a", "b"].map((outer) =>
      createStore(leveldb({ database: database.sublevel(outer).sublevel("x") })),
    );
    await Promise.all(stores.map((store, i) => store.set("k", i)));
    expect(await Promise.all(stores.map((store) => store.get("k")))).toEqual([0, 1]);
    expect(await refusalOf({ database: database.sublevel(["a", "x"]) })).toMatchObject({
      code: "KV_UNAVAILABLE",
    });
    await Promise.all(stores.map((store) => store.close()));
  });

  test("is one store's under one prefix also where several threads share it", async () => {
    const path = await scratchPath();
    const database = new ClassicLevel(path, { multithreading: true });
    onTestFinished(() => database.close());
    const store = createStore(leveldb({ database }));
    await store.increment("n");
    async function inThread(prefix: string): Promise<string> {
      const script = fileURLToPath(new URL("./holding/shared-database-worker.ts", import.meta.url));
      const worker = new Worker(script, { workerData: { path, prefix } });
      const [[said]] = await Promise.all([once(worker, "message"), once(worker, "exit")]);
      return said;
    }
    expect(await inThread("kv")).toMatch(
      /KV_UNAVAILABLE .*another store of this process .* uses the prefix "kv"/,
    );
    expect(await inThread("other")).toBe("open");
    await store.close();
    expect(await inThread("kv")).toBe("open");
    expect(readdirSync(path).filter((name) => name.startsWith("kv-"))).toEqual([]);
  });

  test("that is closed is KV_UNAVAILABLE, and is not opened behind its owner's back", async () => {
    const database = new ClassicLevel(await scratchPath());
    await database.open();
    await database.close();
    expect(await refusalOf({ database })).toMatchObject({ code: "KV_UNAVAILABLE" });
    expect(database.status).toBe("closed");
  });

  test("that its owner closes under the store makes operations fail, not hang or crash", async () => {
    const database = new ClassicLevel(await scratchPath());
    const store = createStore(leveldb({ database }));
    await store.set("k", 1);
    const scan = store.keys();
    await scan.next();
    await database.close();
    await expect(store.get("k")).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    await expect(store.set("k", 2)).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    await expect(store.count()).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    await store.close();
  });

  test("is the same data as the path", async () => {
    const path = await scratchPath();
    const byPath = createStore(leveldb({ path }));
    await byPath.set("k", [1, 2]);
    await byPath.close();
    const database = new ClassicLevel(path);
    onTestFinished(() => database.close());
    const store = createStore(leveldb({ database }));
    expect(await store.get("k")).toEqual([1, 2]);
    await store.close();
  });
});
