import { execFileSync } from "node:child_process";
import { readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStore, KvError, type Store } from "@kv/core";
import { files, hybrid } from "@kv/hybrid";
import { sqlite } from "@kv/sqlite";
import { describe, expect, it } from "vitest";
import { scratchDirectory } from "../processes/child.ts";
import { smallDisk } from "./small-disk.ts";

const DISK_MB = 8;
const MB = 2 ** 20;

/** Follows from its number, and cannot be compressed away. */
function bytesOf(i: number): Uint8Array {
  return new Uint8Array(300_000).fill(i).map((byte, at) => byte ^ (at * 31));
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "ok",
    (error: unknown) => (KvError.is(error) ? error.code : String(error)),
  );
}

describe("the disk of the files", () => {
  function storeOn(disk: string, index: string): Store {
    const adapter = hybrid({
      index: sqlite({ path: join(index, "index.db") }),
      directory: join(disk, "files"),
    });
    return createStore(adapter, { sweepInterval: null });
  }

  it("where it is full, refuses what is large with KV_CAPACITY, loses nothing acknowledged, and goes on when there is space", async (ctx) => {
    const disk = smallDisk(DISK_MB, ctx.onTestFinished);
    if (typeof disk === "string") return ctx.skip(disk);
    const store = storeOn(disk.path, scratchDirectory(ctx.onTestFinished));
    ctx.onTestFinished(() => store.close());
    let error: unknown;
    let acknowledged = 0;
    while (error === undefined && acknowledged < 100) {
      error = await store.set(`k${acknowledged}`, bytesOf(acknowledged)).then(
        () => void acknowledged++,
        (reason: unknown) => reason,
      );
    }
    expect(error).toMatchObject({ code: "KV_CAPACITY", key: `k${acknowledged}` });
    expect(acknowledged).toBeGreaterThan(10);
    // One write of a batch fails alone, and a small value needs no file on this disk.
    const [large, small] = await Promise.all([
      codeOf(store.set("large", bytesOf(1))),
      codeOf(store.set("small", 1)),
    ]);
    expect([large, small]).toEqual(["KV_CAPACITY", "ok"]);
    const chunks = Array.from({ length: 40 }, () => bytesOf(1));
    expect(await codeOf(files(store).setStream("film", chunks))).toBe("KV_CAPACITY");
    expect(await store.has("film")).toBe(false);
    for (let i = 0; i < acknowledged; i++) expect(await store.get(`k${i}`)).toEqual(bytesOf(i));
    // Nothing of what failed takes space.
    const unfinished = readdirSync(join(disk.path, "files/.kv/tmp"), {
      recursive: true,
      withFileTypes: true,
    });
    expect(unfinished.filter((found) => found.isFile())).toEqual([]);

    // Deleting and collecting makes room, even on a disk that is full.
    await store.delete("k0");
    await store.delete("k1");
    expect(await files(store).collect({ grace: 0 })).toMatchObject({ removed: 2 });
    expect(await codeOf(store.set("large", bytesOf(99)))).toBe("ok");
    expect((await files(store).verify()).problems).toEqual([]);
  });

  it("where it is read-only, or not mounted any more, says so, and what is there is read again later", async (ctx) => {
    const disk = smallDisk(DISK_MB, ctx.onTestFinished);
    if (typeof disk === "string") return ctx.skip(disk);
    const index = scratchDirectory(ctx.onTestFinished);
    const store = storeOn(disk.path, index);
    ctx.onTestFinished(() => store.close());
    await store.set("k", bytesOf(1));
    const mount = (...args: string[]): void =>
      void execFileSync("mount", ["-o", ...args, disk.path], { stdio: "pipe" });
    mount("remount,ro");
    expect(await codeOf(store.set("k", bytesOf(2)))).toBe("KV_READ_ONLY");
    expect(await store.get("k")).toEqual(bytesOf(1));
    const reopened = storeOn(disk.path, index);
    expect(await codeOf(reopened.get("k"))).toBe("KV_READ_ONLY");
    await reopened.close();
    mount("remount,rw");
    expect(await codeOf(store.set("k", bytesOf(2)))).toBe("ok");

    // Another, empty file system in its place: as a disk that fell out.
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "kv-other-disk", disk.path], { stdio: "pipe" });
    let covered = true;
    const uncover = (): void => {
      if (covered) execFileSync("umount", [disk.path], { stdio: "pipe" });
      covered = false;
    };
    ctx.onTestFinished(uncover);
    expect(await codeOf(store.get("k"))).toBe("KV_UNAVAILABLE");
    expect(await codeOf(store.set("k", bytesOf(3)))).toBe("KV_UNAVAILABLE");
    expect(await codeOf(files(store).collect({ grace: 0 }))).toBe("KV_UNAVAILABLE");
    expect(readdirSync(disk.path)).toEqual([]);
    uncover();
    expect(await store.get("k")).toEqual(bytesOf(2));
  });

  it("that is another one for a folder of it is said, and nothing is acknowledged", async (ctx) => {
    const disk = smallDisk(DISK_MB, ctx.onTestFinished);
    if (typeof disk === "string") return ctx.skip(disk);
    const store = storeOn(disk.path, scratchDirectory(ctx.onTestFinished));
    ctx.onTestFinished(() => store.close());
    await store.set("k", bytesOf(1));
    await store.delete("k");
    const objects = join(disk.path, "files/objects");
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "kv-other-disk", objects], { stdio: "pipe" });
    ctx.onTestFinished(() => void execFileSync("umount", [objects], { stdio: "pipe" }));
    const error: unknown = await store.set("l", bytesOf(2)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "KV_UNAVAILABLE" });
    expect(String(error)).toContain("spans several file systems");
    expect(await store.has("l")).toBe(false);
  });

  it("that has no space for the directory itself is KV_CAPACITY to who opens, until there is", async (ctx) => {
    const disk = smallDisk(1, ctx.onTestFinished);
    if (typeof disk === "string") return ctx.skip(disk);
    const { bavail, bsize } = statfsSync(disk.path);
    const ballast = join(disk.path, "ballast");
    writeFileSync(ballast, new Uint8Array(bavail * bsize));
    const store = storeOn(disk.path, scratchDirectory(ctx.onTestFinished));
    ctx.onTestFinished(() => store.close());
    expect(bavail * bsize).toBeLessThanOrEqual(MB);
    expect(await codeOf(store.set("k", 1))).toBe("KV_CAPACITY");
    rmSync(ballast);
    expect(await codeOf(store.set("k", 1))).toBe("ok");
  });
});
