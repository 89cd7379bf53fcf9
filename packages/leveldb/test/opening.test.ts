import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createStore } from "@kv/core";
import { ClassicLevel } from "classic-level";
import { describe, expect, onTestFinished, test } from "vitest";
import { type LeveldbOptions, leveldb } from "../src/index.ts";
import { checksum, checksumText } from "../src/stored/checksum.ts";
import { commitAll, opened, payloadOf, refusalOf, scratchPath, setting } from "./scratch.ts";

describe("options", () => {
  test.each([
    [{ path: "a", durabilty: "full" }, "durabilty"],
    [{ path: "a", database: {} }, "path"],
    [{}, "path"],
    [undefined, "path"],
    [{ path: "" }, "path"],
    [{ path: "a\0b" }, "path"],
    [{ path: "a", durability: "none" }, "durability"],
    [{ path: "a", prefix: "a!b" }, "prefix"],
    [{ path: "a", cacheSize: -1 }, "cacheSize"],
    [{ path: "a", writeBufferSize: 1 }, "writeBufferSize"],
    [{ path: "a", verifyUpTo: -1 }, "verifyUpTo"],
    [{ path: "a", verifyUpTo: "64MB" }, "verifyUpTo"],
    [{ path: "a", clock: 5 }, "clock"],
    [{ database: "a" }, "database"],
    [{ database: {}, cacheSize: 1 }, "cacheSize"],
  ])("%o is refused at once", (options, word) => {
    expect(() => leveldb(options as LeveldbOptions)).toThrow(
      expect.objectContaining({
        name: "KvError",
        code: "KV_INVALID_OPTION",
        message: expect.stringContaining(word),
      }),
    );
  });

  test("with full durability every batch is synced, and reads as ever", async () => {
    const adapter = await opened({ path: await scratchPath(), durability: "full" });
    await commitAll(adapter, setting("k", 1));
    await commitAll(adapter, setting("a", 1), setting("b", 2));
    expect(await payloadOf(adapter, "k")).toBe("1");
  });
});

describe("a database that cannot be opened is refused with its path and the reason", () => {
  test("missing directories are made", async () => {
    const path = await scratchPath("deep/down/store");
    await opened({ path });
    expect(readdirSync(path)).toContain("CURRENT");
  });

  test("a file", async () => {
    const path = await scratchPath();
    writeFileSync(path, "");
    expect(await refusalOf({ path })).toMatchObject({
      code: "KV_UNAVAILABLE",
      message: expect.stringContaining(path),
    });
  });

  test("a directory without permission", async (context) => {
    if (process.getuid?.() === 0) context.skip("root may write everywhere");
    const path = await scratchPath();
    mkdirSync(path);
    chmodSync(path, 0o500);
    expect(await refusalOf({ path })).toMatchObject({
      code: "KV_UNAVAILABLE",
      message: expect.stringContaining(path),
    });
  });

  test("tables without the file that says which of them count, which LevelDB would delete", async () => {
    const path = await scratchPath();
    mkdirSync(path);
    writeFileSync(join(path, "000005.ldb"), "a table");
    expect(await refusalOf({ path })).toMatchObject({
      code: "KV_CORRUPT",
      message: expect.stringMatching(/CURRENT is missing/),
    });
    expect(readdirSync(path)).toEqual(["000005.ldb"]);
  });

  test("after a failure the same store opens as soon as it can", async () => {
    const path = await scratchPath();
    writeFileSync(path, "");
    const store = createStore(leveldb({ path }));
    await expect(store.set("k", 1)).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    rmSync(path);
    await store.set("k", 2);
    expect(await store.get("k")).toBe(2);
    await store.close();
  });
});

describe("layouts", () => {
  test("a newer one is KV_UNSUPPORTED, and left as it is", async () => {
    const path = await scratchPath();
    const db = new ClassicLevel(path);
    const content = JSON.stringify({ layout: 2, revision: 7 });
    const record = checksumText(checksum("!kv!m", content)) + content;
    await db.put("!kv!m", record);
    await db.close();
    expect(await refusalOf({ path }, "set")).toMatchObject({
      code: "KV_UNSUPPORTED",
      message: expect.stringMatching(/layout 2 .* upgrade/),
    });
    await db.open();
    expect(await db.iterator().all()).toEqual([["!kv!m", record]]);
    await db.close();
  });

  test("a database of somebody else's is an empty store, and stays theirs", async () => {
    const path = await scratchPath();
    const db = new ClassicLevel(path);
    await db.batch([
      { type: "put", key: "a", value: "1" },
      { type: "put", key: "z", value: "2" },
    ]);
    await db.close();
    const store = createStore(leveldb({ path }));
    expect(await store.count()).toBe(0);
    await store.set("k", 1);
    expect(await store.clear({ namespaces: true })).toBe(1);
    await store.close();
    await db.open();
    expect(await db.getMany(["a", "z"])).toEqual(["1", "2"]);
    await db.close();
  });

  test("keys of somebody else's under our prefix are left alone", async () => {
    const path = await scratchPath();
    const db = new ClassicLevel(path);
    await db.sublevel("kv").put("theirs", "1");
    await db.close();
    expect(await refusalOf({ path }, "set")).toMatchObject({
      code: "KV_UNSUPPORTED",
      message: expect.stringMatching(/another prefix/),
    });
    const other = await opened({ path, prefix: "ours" });
    await commitAll(other, setting("k", 1));
    expect(await payloadOf(other, "k")).toBe("1");
  });

  test("revisions are never given out twice, whatever was given out before", async () => {
    const path = await scratchPath();
    const seen = new Set<string>();
    for (let round = 0; round < 5; round++) {
      const store = createStore(leveldb({ path }));
      for (let i = 0; i < 10; i++) seen.add(await store.set("k", i));
      await store.close();
    }
    expect(seen.size).toBe(50);
  });
});

describe("a second opener", () => {
  async function holding(path: string): Promise<ChildProcess> {
    const child = fork(fileURLToPath(new URL("./holding/holding-process.ts", import.meta.url)), [path]);
    onTestFinished(async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
    });
    await once(child, "message");
    return child;
  }

  test("is told which process holds it, until that one has gone, be it killed", async () => {
    const path = await scratchPath();
    const child = await holding(path);
    const refusal = await refusalOf({ path });
    expect(refusal).toMatchObject({ code: "KV_UNAVAILABLE", retryable: true });
    expect(refusal.message).toContain(path);
    expect(refusal.message).toContain(`process ${child.pid} on ${hostname()}`);
    child.kill("SIGKILL");
    await once(child, "exit");
    const store = createStore(leveldb({ path }));
    expect(await store.get("written")).toBe("by the holder");
    await store.close();
    expect(readdirSync(path)).not.toContain("kv-holder.json");
  });

  test("of the same process is told so", async () => {
    const path = await scratchPath();
    const first = createStore(leveldb({ path }));
    await first.set("k", 1);
    expect(await refusalOf({ path })).toMatchObject({
      code: "KV_UNAVAILABLE",
      message: expect.stringMatching(/another store of this process/),
    });
    expect(await first.get("k")).toBe(1);
    await first.close();
    await opened({ path });
  });

  test("is refused whatever the note of the holder says, or if there is none", async () => {
    const path = await scratchPath();
    await holding(path);
    for (const note of ["", "{}", '{"pid":1073741824,"host":"here","since":"now"}', undefined]) {
      if (note === undefined) rmSync(join(path, "kv-holder.json"));
      else writeFileSync(join(path, "kv-holder.json"), note);
      const { code, message } = await refusalOf({ path });
      expect(code).toBe("KV_UNAVAILABLE");
      expect(message).toMatch(/is held by (another process|process \d+ on )/);
    }
  });
});
