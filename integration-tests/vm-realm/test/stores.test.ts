import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeConformance } from "@kv/conformance";
import { type Adapter, createStore, forward, isError, isPromise, structured } from "@kv/core";
import { hybrid } from "@kv/hybrid";
import { leveldb } from "@kv/leveldb";
import { memory } from "@kv/memory";
import { sqlite } from "@kv/sqlite";
import { tiered } from "@kv/tiered";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

// This file runs in vitest's pool vmThreads: its classes are not those of Node's own modules, nor of native drivers.

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "kv-vm-realm-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const ADAPTERS: Readonly<Record<string, () => Adapter>> = {
  memory: () => memory(),
  sqlite: () => sqlite({ path: join(directory, "a.db") }),
  leveldb: () => leveldb({ path: join(directory, "level") }),
  hybrid: () => hybrid({ index: memory(), directory: join(directory, "files"), inlineBelow: 1 }),
  tiered: () => tiered({ near: memory(), far: sqlite({ path: join(directory, "far.db") }) }),
};

describe("in a realm that is not Node's own", () => {
  it("a promise and an error of Node's modules are of another realm", async () => {
    const reading = readFile(join(directory, "absent"));
    const error: unknown = await reading.catch((thrown: unknown) => thrown);
    expect(error).not.toBeInstanceOf(Error);
    expect(isPromise(reading)).toBe(true);
    expect(isError(error)).toBe(true);
  });

  for (const [name, make] of Object.entries(ADAPTERS)) {
    it(`${name} stores values, bytes and dates of this realm and of Node's`, async () => {
      const store = createStore(make(), { codec: structured });
      const foreign = structuredClone({ at: new Date(0), list: [new Map([["a", 1n]])] });
      await store.set("plain", { a: [1, { b: null }] }, { expiresAt: new Date(Date.now() + 60_000) });
      await store.set("foreign", foreign);
      await store.set("buffer", Buffer.from([1, 2, 3]));
      await store.set("bytes", new Uint8Array([1, 2, 3]));
      expect(await store.get("plain")).toStrictEqual({ a: [1, { b: null }] });
      expect(await store.get("foreign")).toStrictEqual({ at: new Date(0), list: [new Map([["a", 1n]])] });
      for (const key of ["buffer", "bytes"]) {
        expect(Array.from((await store.get(key)) as Uint8Array)).toEqual([1, 2, 3]);
      }
      expect(await store.count()).toBe(4);
      const controller = new AbortController();
      controller.abort();
      await expect(store.get("k", undefined, { signal: controller.signal })).rejects.toMatchObject({
        code: "KV_ABORTED",
      });
      await store.close();
    });
  }

  it("an adapter may answer with promises of Node's realm", async () => {
    const inner = memory();
    const file = join(import.meta.dirname, "stores.test.ts");
    // Each answer waits for a promise of node:fs, and is one.
    const late = <T>(answer: T | Promise<T>): Promise<T> => readFile(file).then(() => answer);
    const adapter = forward(inner, {
      open: () => late(inner.open()),
      read: (...given) => late(inner.read(...given)),
      commit: (...given) => late(inner.commit(...given)),
      count: (...given) => late(inner.count(...given)),
      clear: (...given) => late(inner.clear(...given)),
      close: () => late(inner.close()),
    });
    const store = createStore<number>(adapter);
    await Promise.all([store.set("a", 1), store.set("b", 2)]);
    expect(await store.getMany(["a", "b"])).toEqual([1, 2]);
    expect(await store.update("a", (n) => Number(n) + 1)).toBe(2);
    expect(await store.count()).toBe(2);
    expect(await store.clear()).toBe(2);
    await store.close();
  });

  it("what an adapter finds wrong with a file keeps its meaning", async () => {
    const inFile = join(import.meta.filename, "place");
    for (const adapter of [sqlite({ path: inFile }), leveldb({ path: inFile })]) {
      const store = createStore(adapter);
      await expect(store.set("k", 1)).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
      await store.close();
    }
    const path = join(directory, "lost");
    const store = createStore(hybrid({ index: memory(), directory: path, inlineBelow: 1 }));
    await store.set("k", "large enough for a file");
    rmSync(join(path, "objects"), { recursive: true });
    mkdirSync(join(path, "objects"));
    await expect(store.get("k")).rejects.toMatchObject({ code: "KV_CORRUPT", key: "k" });
    await store.close();
  });
});

if (process.env["KV_TEST_FULL"] === "1") {
  describeConformance({
    name: "sqlite in another realm",
    create() {
      const path = mkdtempSync(join(tmpdir(), "kv-vm-sqlite-"));
      return {
        adapter: sqlite({ path: join(path, "a.db") }),
        reopen: () => sqlite({ path: join(path, "a.db") }),
        dispose: () => rmSync(path, { recursive: true, force: true }),
      };
    },
  });
} else it("sqlite in another realm passes the whole suite", (ctx) => ctx.skip("needs KV_TEST_FULL=1"));
