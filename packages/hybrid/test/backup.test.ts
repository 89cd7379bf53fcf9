import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStore, type Store } from "@kv/core";
import { backup as backupIndex, sqlite } from "@kv/sqlite";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { files, hybrid } from "../src/index.ts";
import { large, refusal, scratchDirectory, storeIn } from "./scratch.ts";

let directory: string;
let target: string;
let store: Store;
/** Over the same database. */
let index: Store;

beforeEach(async () => {
  directory = await scratchDirectory();
  target = join(directory, "backup");
  store = storeIn(directory);
  index = createStore(sqlite({ path: join(directory, "index.db") }));
  onTestFinished(() => index.close());
});

const copyIndex = () => backupIndex(index, join(target, "index.db"));

function restored(): Store {
  const adapter = hybrid({
    index: sqlite({ path: join(target, "index.db") }),
    directory: join(target, "files"),
    inlineBelow: 100,
  });
  const copy = createStore(adapter, { sweepInterval: null });
  onTestFinished(() => copy.close());
  return copy;
}

describe("a backup", () => {
  it("holds what was there when the index was copied, whatever is written, deleted and collected meanwhile", async () => {
    for (let i = 0; i < 40; i++) await store.set(`k${i}`, large(i));
    await store.set("small", 1);
    await files(store.namespace("films")).setStream("film", ["frames ".repeat(100)]);
    const report = await files(store).backup(join(target, "files"), {
      async index() {
        await copyIndex();
        // Another process would do as much.
        const other = storeIn(directory);
        for (let i = 0; i < 40; i++) await other.set(`k${i}`, large(100 + i));
        await other.delete("k0");
        expect(await files(other).collect({ grace: 0 })).toMatchObject({ removed: 0, quarantined: 0 });
      },
    });
    expect(report.files).toBeGreaterThanOrEqual(41);
    expect(report.bytes).toBeGreaterThan(41 * 700);
    const copy = restored();
    expect((await files(copy).verify()).problems).toEqual([]);
    for (let i = 0; i < 40; i++) expect(await copy.get(`k${i}`)).toEqual(large(i));
    expect(await copy.get("small")).toBe(1);
    expect(await copy.namespace("films").get("film")).toEqual(
      new TextEncoder().encode("frames ".repeat(100)),
    );
    // Further files are collected in the copy as in the original.
    expect((await files(copy).collect({ grace: 0 })).removed).toBe(report.files - 41);
    expect((await files(store).collect({ grace: 0 })).removed).toBe(41);
    expect((await files(store).verify()).problems).toEqual([]);
  });

  it("holds files that were in quarantine", async () => {
    await store.set("k", large(1));
    await store.delete("k");
    // In quarantine, as an index that lost its last writes would find it.
    const other = storeIn(directory, { grace: "1ms" });
    await expect.poll(async () => (await files(other).collect()).quarantined).toBe(1);
    const report = await files(store).backup(join(target, "files"), { index: copyIndex });
    expect(report.files).toBe(1);
  });

  it("that fails leaves nothing, and the store as it is", async () => {
    await store.set("k", large(1));
    const mine = new Error("mine");
    const thrown = files(store).backup(join(target, "files"), { index: () => Promise.reject(mine) });
    await expect(thrown).rejects.toBe(mine);
    const onProgress = (): never => {
      throw mine;
    };
    await expect(files(store).backup(join(target, "files"), { index: copyIndex, onProgress })).rejects.toBe(
      mine,
    );
    const controller = new AbortController();
    const aborted = files(store).backup(join(target, "files"), {
      index: async () => controller.abort(),
      signal: controller.signal,
    });
    expect(await refusal(aborted)).toMatchObject({ code: "KV_ABORTED" });
    expect(existsSync(target) ? readdirSync(target) : []).toEqual(["index.db"]);
    expect(readdirSync(join(directory, "files/.kv/pins"))).toEqual([]);
    await store.delete("k");
    expect(await files(store).collect({ grace: 0 })).toMatchObject({ removed: 1 });
  });

  it("is refused where there is something, and for options that are unknown or impossible", async () => {
    mkdirSync(target);
    writeFileSync(join(target, "mine.txt"), "mine");
    const invalid = [
      files(store).backup(target, { index: copyIndex }),
      files(store).backup("", { index: copyIndex }),
      files(store).backup(join(target, "files"), { index: 1 as never }),
      files(store).backup(join(target, "files"), { index: copyIndex, extra: 1 } as never),
      files(store).backup(join(target, "files"), undefined as never),
      files(store).backup(join(target, "files"), { index: copyIndex, signal: {} as never }),
    ];
    for (const error of await Promise.all(invalid.map(refusal))) expect(error.code).toBe("KV_INVALID_OPTION");
    expect(readdirSync(target)).toEqual(["mine.txt"]);
  });
});

describe("an index that is copied after the files", () => {
  it("names files that the copy lacks, which is told: the index goes first", async () => {
    await store.set("k", large(1));
    await files(store).backup(join(target, "files"), { index: async () => undefined });
    await store.set("k", large(2));
    await copyIndex();
    expect(await refusal(restored().get("k"))).toMatchObject({ code: "KV_CORRUPT" });
  });
});
