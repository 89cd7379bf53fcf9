import { join } from "node:path";
import { Refusal } from "@kv/core";
import { describe, expect, it } from "vitest";
import { directoryFault, unreadableFile } from "../src/errors.ts";
import { files } from "../src/index.ts";
import { collected, large, refusal, scratchDirectory, storeIn } from "./scratch.ts";

describe("the file system", () => {
  const failed = (code: string): Error => Object.assign(new Error(`${code}: as the system says`), { code });

  it.each([
    ["ENOSPC", "KV_CAPACITY", "no space left"],
    ["EDQUOT", "KV_CAPACITY", "quota"],
    ["EFBIG", "KV_CAPACITY", "a file this large"],
    ["ENAMETOOLONG", "KV_CAPACITY", "a name this long"],
    ["EROFS", "KV_READ_ONLY", "mounted read-only"],
    ["EACCES", "KV_READ_ONLY", "permission"],
    ["EPERM", "KV_READ_ONLY", "permission"],
    ["EMFILE", "KV_UNAVAILABLE", "this process has too many files open"],
    ["ENFILE", "KV_UNAVAILABLE", "this machine has too many files open"],
    ["EIO", "KV_UNAVAILABLE", "a failing disk"],
    ["ENOENT", "KV_UNAVAILABLE", "mount or restore it"],
    ["ENOTDIR", "KV_UNAVAILABLE", "not a directory"],
    ["ELOOP", "KV_UNAVAILABLE", "in a circle"],
    ["EXDEV", "KV_UNAVAILABLE", "several file systems"],
    ["EBUSY", "KV_UNAVAILABLE", "another program"],
    ["ESTALE", "KV_UNAVAILABLE", "mount it again"],
    ["ENODEV", "KV_UNAVAILABLE", "a disk that is gone"],
    ["ENOMEM", "KV_UNAVAILABLE", "no memory"],
    ["EWHATEVER", "KV_BACKEND", "cannot be used"],
  ])("that refuses to write with %s is %s, in words", (code, expected, words) => {
    const cause = failed(code);
    const told = directoryFault(cause, "/data");
    expect(told).toMatchObject({ code: expected, cause });
    expect(told.message).toContain(words);
    expect(told.message).toContain("/data");
  });

  it.each([
    ["EACCES", "KV_UNAVAILABLE", "may not read it"],
    ["EIO", "KV_UNAVAILABLE", "a failing disk"],
    ["EMFILE", "KV_UNAVAILABLE", "too many files open"],
    ["ESTALE", "KV_UNAVAILABLE", "mount it again"],
    ["EWHATEVER", "KV_UNAVAILABLE", "cannot be read"],
    ["EISDIR", "KV_CORRUPT", "not a file any more"],
    ["ELOOP", "KV_CORRUPT", "not a file any more"],
  ])("that refuses to read with %s is %s, in words", (code, expected, words) => {
    const told = unreadableFile("objects/ab/cd", failed(code));
    expect(told).toMatchObject({ code: expected });
    expect(told.message).toContain(words);
    expect(told.message).toContain("objects/ab/cd");
  });

  it("keeps what is a refusal already", () => {
    const known = new Refusal("KV_CLOSED", "closed");
    expect([directoryFault(known, "/data"), unreadableFile("x", known)]).toEqual([known, known]);
  });

  it("whose names are too short for the directory says so when the store is opened", async () => {
    const directory = await scratchDirectory();
    const store = storeIn(directory, { directory: join(directory, "x".repeat(300)) });
    const told = await refusal(store.set("k", 1));
    expect([told.code, told.message]).toEqual([
      "KV_CAPACITY",
      expect.stringContaining("refuses a name this long"),
    ]);
  });
});

describe("a large value after the event loop was blocked for longer than the timeout", () => {
  function block(ms: number): void {
    for (const end = performance.now() + ms; performance.now() < end; );
  }

  it("is read and written, since the disk answered", async () => {
    const store = storeIn(await scratchDirectory(), {}, { timeout: "300ms" });
    // Opening may be slow on a busy machine, and is not part of the measurement.
    await expect.poll(() => store.set("k", large(1)).catch(() => undefined)).toBeDefined();
    const read = store.get("k");
    block(700);
    expect(await read).toEqual(large(1));
    const written = store.set("k", large(2));
    block(700);
    await written;
    const many = Promise.all(Array.from({ length: 50 }, () => store.get("k")));
    block(700);
    expect(new Set((await many).map((value) => JSON.stringify(value))).size).toBe(1);
    const streamed = files(store).getStream("k");
    block(700);
    const bytes = Buffer.concat(await collected((await streamed)?.stream ?? []));
    expect(JSON.parse(bytes.toString())).toEqual(large(2));
  });
});
