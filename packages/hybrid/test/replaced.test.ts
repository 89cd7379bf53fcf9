import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Store } from "@kv/core";
import { sqlite } from "@kv/sqlite";
import { beforeEach, describe, expect, it } from "vitest";
import { files } from "../src/index.ts";
import { collected, filesIn, large, refusal, scratchDirectory, storeIn } from "./scratch.ts";

let directory: string;
let path: string;
let store: Store;

beforeEach(async () => {
  directory = await scratchDirectory();
  path = join(directory, "files");
  store = storeIn(directory);
  await store.set("k", large(1));
});

/** No operation on files is acknowledged or answered. */
async function expectUnavailable(words: RegExp): Promise<void> {
  const refused = [
    store.set("k", large(2)),
    store.set("new", large(3)),
    files(store).setStream("stream", ["text"]),
    files(store).collect({ grace: 0 }),
    files(store).verify(),
  ];
  for (const error of await Promise.all(refused.map(refusal)))
    expect(error).toMatchObject({ code: "KV_UNAVAILABLE" });
  expect((await refusal(store.get("missing file"))).message).toMatch(words);
  // Values in the index do not need the directory.
  await store.set("small", 1);
  expect(await store.get("small")).toBe(1);
}

describe("a directory that is not the one that was opened", () => {
  beforeEach(async () => {
    await store.set("missing file", large(9));
    await store.set("later", large(4));
  });

  it("as it was moved: nothing is acknowledged, and all is well when it is back", async () => {
    renameSync(path, join(directory, "elsewhere"));
    await expectUnavailable(/mount or restore it/);
    renameSync(join(directory, "elsewhere"), path);
    expect(await store.get("k")).toEqual(large(1));
    await store.set("k", large(2));
    expect(await store.get("k")).toEqual(large(2));
  });

  it("as it was deleted, and an empty one made", async () => {
    rmSync(path, { recursive: true });
    mkdirSync(path);
    await expectUnavailable(/mount or restore it/);
  });

  it("as another store's lies there now: nothing gets into that, and nothing is collected from it", async () => {
    const other = await scratchDirectory();
    const theirs = storeIn(other);
    await theirs.set("k", large(5));
    await theirs.close();
    renameSync(path, join(directory, "elsewhere"));
    renameSync(join(other, "files"), path);
    await expectUnavailable(/was replaced since the store was opened/);
    renameSync(path, join(other, "files"));
    expect(filesIn(other)).toHaveLength(1);
    expect(await storeIn(other).get("k")).toEqual(large(5));
  });

  it("as a backup of it was put there: what that lacks is told, and it is used when the store is opened again", async () => {
    await store.close();
    cpSync(path, join(directory, "backup"), { recursive: true });
    store = storeIn(directory);
    await store.set("missing file", large(6));
    await store.set("later", large(7));
    rmSync(path, { recursive: true });
    renameSync(join(directory, "backup"), path);
    expect(await store.get("k")).toEqual(large(1));
    await expectUnavailable(/was replaced since the store was opened/);
    await store.close();
    const reopened = storeIn(directory);
    expect(await reopened.get("k")).toEqual(large(1));
    expect(await refusal(reopened.get("later"))).toMatchObject({ code: "KV_CORRUPT", key: "later" });
    expect((await files(reopened).verify()).problems.map(({ key }) => key)).toEqual([
      "later",
      "missing file",
    ]);
    await reopened.set("later", large(8));
    expect(await reopened.get("later")).toEqual(large(8));
  });

  it("as a link leads elsewhere by now", async () => {
    const link = join(directory, "current");
    symlinkSync("files", link);
    const index = () => sqlite({ path: join(directory, "linked.db") });
    const linked = storeIn(directory, { index: index(), directory: link });
    await linked.set("k", large(1));
    rmSync(link);
    const other = await scratchDirectory();
    await storeIn(other).set("k", large(2));
    symlinkSync(join(other, "files"), link);
    expect(await refusal(linked.set("l", large(3)))).toMatchObject({ code: "KV_UNAVAILABLE" });
    expect(filesIn(other)).toHaveLength(1);
  });
});

describe("a stream that stands still", () => {
  it("is read to its end from the directory that was moved meanwhile", async () => {
    const found = await files(store).getStream("k");
    renameSync(path, join(directory, "elsewhere"));
    expect(Buffer.concat(await collected(found?.stream ?? [])).toString()).toBe(JSON.stringify(large(1)));
  });
});

describe("an index that was restored", () => {
  it("to an older state finds its files, or is told that they were collected, and gets no other value", async () => {
    await store.close();
    cpSync(join(directory, "index.db"), join(directory, "backup.db"));
    store = storeIn(directory);
    await store.set("k", large(2));
    await store.close();
    const restore = (): void => cpSync(join(directory, "backup.db"), join(directory, "index.db"));
    restore();
    store = storeIn(directory);
    expect(await store.get("k")).toEqual(large(1));
    await store.set("k", large(2));
    await files(store).collect({ grace: 0 });
    await store.close();
    restore();
    store = storeIn(directory);
    expect(await refusal(store.get("k"))).toMatchObject({ code: "KV_CORRUPT" });
    await store.set("k", large(1));
    expect(await store.get("k")).toEqual(large(1));
  });
});
