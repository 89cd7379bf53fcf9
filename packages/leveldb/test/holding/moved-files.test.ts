import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createStore, type Store } from "@kv/core";
import { ClassicLevel } from "classic-level";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { LOOK_INTERVAL_MS } from "../../src/connection/custody.ts";
import { type LeveldbOptions, leveldb } from "../../src/index.ts";
import { scratchPath } from "../scratch.ts";

const TOLD = {
  code: "KV_UNAVAILABLE",
  message: expect.stringMatching(/put the files back or restore a backup, close this store/),
};

/** A store that has written, long enough ago that a change of its files is noticed. */
async function written(options: LeveldbOptions): Promise<Store> {
  const store = createStore(leveldb(options));
  await store.set("before", 1);
  await sleep(LOOK_INTERVAL_MS);
  return store;
}

function removeAll(path: string, names: RegExp): void {
  for (const name of readdirSync(path)) if (names.test(name)) unlinkSync(join(path, name));
}

/** Puts the files of a database that was closed earlier over those of one that is open. */
async function restoreOver(path: string): Promise<void> {
  const backup = createStore(leveldb({ path: `${path}-backup` }));
  await backup.set("backup", 1);
  await backup.close();
  cpSync(`${path}-backup`, path, { recursive: true, force: true });
}

const CHANGES: readonly (readonly [what: string, change: (path: string) => unknown, says: RegExp])[] = [
  [
    "the directory was moved",
    (path) => renameSync(path, `${path}-moved`),
    /directory .* was moved or deleted/,
  ],
  [
    "the directory was deleted",
    (path) => rmSync(path, { recursive: true }),
    /directory .* was moved or deleted/,
  ],
  [
    "the directory was replaced by a copy of itself",
    (path) => {
      renameSync(path, `${path}-moved`);
      cpSync(`${path}-moved`, path, { recursive: true });
    },
    /was replaced by another/,
  ],
  [
    "the directory was moved, and a link to it left behind",
    (path) => {
      renameSync(path, `${path}-moved`);
      mkdirSync(`${path}-other`);
      symlinkSync(`${path}-other`, path);
    },
    /was replaced by another/,
  ],
  ["all files were deleted", (path) => removeAll(path, /./), /LOCK was moved or deleted/],
  ["the log was deleted", (path) => removeAll(path, /\.log$/), /\.log was moved or deleted/],
  ["the manifest was deleted", (path) => removeAll(path, /^MANIFEST/), /MANIFEST-\d+ was moved or deleted/],
  ["CURRENT was deleted", (path) => removeAll(path, /^CURRENT$/), /CURRENT was moved or deleted/],
  [
    "CURRENT was altered",
    (path) => appendFileSync(join(path, "CURRENT"), "\n"),
    /CURRENT was replaced or altered/,
  ],
  [
    "another program opened the database, past its lock",
    async (path) => {
      symlinkSync(path, `${path}-link`);
      const database = new ClassicLevel(`${path}-link`);
      await database.open();
      await database.close();
    },
    /CURRENT was replaced or altered .*another process/,
  ],
  ["a backup was copied over them", restoreOver, /was (replaced or altered|moved or deleted)/],
];

/** Some file systems forget the inode number of a file that no process has open, and give it another one. */
test("the file CURRENT may come to be told by another inode", async () => {
  const path = await scratchPath();
  const store = await written({ path });
  const file = join(path, "CURRENT");
  execFileSync("cp", ["-p", file, `${file}.same`]);
  renameSync(`${file}.same`, file);
  await store.set("after", 1);
  expect(await store.get("before")).toBe(1);
  await store.close();
});

describe("nothing is acknowledged any more, and every operation says why, where", () => {
  test.each(CHANGES)("%s", async (_, change, says) => {
    const path = await scratchPath();
    const store = await written({ path });
    await change(path);
    const told = { ...TOLD, message: expect.stringMatching(says) };
    await expect(store.set("after", 1)).rejects.toMatchObject(told);
    await expect(store.set("after", 2)).rejects.toMatchObject(told);
    await expect(store.get("before")).rejects.toMatchObject(TOLD);
    await expect(store.keys().next()).rejects.toMatchObject(TOLD);
    await expect(store.sweep()).rejects.toMatchObject(TOLD);
    const files = (place: string) => {
      try {
        return readdirSync(place).sort();
      } catch {
        return [];
      }
    };
    const before = files(path);
    await expect(store.close()).rejects.toMatchObject(told);
    // What has taken the place of the files is left as it is.
    expect(files(path).filter((name) => !before.includes(name))).toEqual([]);
    const again = createStore(leveldb({ path: await scratchPath() }));
    await again.set("k", 1);
    await again.close();
  });

  test("a store that only reads, with the next sweep", async () => {
    const path = await scratchPath();
    const store = await written({ path });
    renameSync(path, `${path}-moved`);
    expect(await store.get("before")).toBe(1);
    await expect(store.sweep()).rejects.toMatchObject(TOLD);
    await expect(store.get("before")).rejects.toMatchObject(TOLD);
    await expect(store.close()).rejects.toMatchObject(TOLD);
  });

  test("watchers are told to look for themselves, when the files are lost and when they are back", async () => {
    const path = await scratchPath();
    const store = await written({ path });
    const told: string[] = [];
    await store.subscribe((change) => void told.push(change.type));
    renameSync(path, `${path}-moved`);
    await expect(store.sweep()).rejects.toMatchObject(TOLD);
    await expect(store.sweep()).rejects.toMatchObject(TOLD);
    await vi.waitFor(() => expect(told).toEqual(["resync"]));
    renameSync(`${path}-moved`, path);
    await store.sweep();
    await vi.waitFor(() => expect(told).toEqual(["resync", "resync"]));
    await store.close();
  });

  test("close() alone tells it", async () => {
    const path = await scratchPath();
    const store = createStore(leveldb({ path }));
    await store.set("k", 1);
    rmSync(path, { recursive: true });
    await expect(store.close()).rejects.toMatchObject(TOLD);
    // Everything is released all the same.
    const again = createStore(leveldb({ path }));
    expect(await again.get("k")).toBeUndefined();
    await again.close();
  });

  test("the database was handed in", async () => {
    const path = await scratchPath();
    const database = new ClassicLevel(path);
    onTestFinished(() => database.close());
    const store = await written({ database });
    renameSync(path, `${path}-moved`);
    await expect(store.set("after", 1)).rejects.toMatchObject(TOLD);
    await expect(store.close()).rejects.toMatchObject(TOLD);
  });
});

describe("nothing is refused where", () => {
  test("the files are put back", async () => {
    const path = await scratchPath();
    const store = await written({ path });
    renameSync(path, `${path}-moved`);
    await expect(store.set("k", 1)).rejects.toMatchObject(TOLD);
    renameSync(`${path}-moved`, path);
    await store.set("k", 2);
    expect(await store.get("before")).toBe(1);
    await store.close();
    const again = createStore(leveldb({ path }));
    expect(await again.get("k")).toBe(2);
    await again.close();
  });

  test("a link in the path leads elsewhere now, as after a deployment", async () => {
    const path = await scratchPath();
    symlinkSync(path, `${path}-current`);
    mkdirSync(path);
    mkdirSync(`${path}-next`);
    const store = await written({ path: `${path}-current` });
    unlinkSync(`${path}-current`);
    symlinkSync(`${path}-next`, `${path}-current`);
    await store.set("k", 1);
    await store.close();
    const again = createStore(leveldb({ path }));
    expect(await again.get("k")).toBe(1);
    await again.close();
  });

  test("logs follow one another and become tables", async () => {
    const path = await scratchPath();
    const store = await written({ path, writeBufferSize: 2 ** 16 });
    for (let i = 0; i < 40; i++) {
      await store.set(`k${i % 8}`, "x".repeat(20_000));
      await sleep(LOOK_INTERVAL_MS / 10);
    }
    await store.sweep();
    await store.close();
  });

  test("the owner of a database handed in closes it and opens it again", async () => {
    const database = new ClassicLevel(await scratchPath());
    onTestFinished(() => database.close());
    const store = await written({ database });
    await database.close();
    await database.open();
    await store.set("k", 1);
    await store.close();
  });
});
