import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { constants, gunzipSync, gzipSync } from "node:zlib";
import { createStore, structured } from "@kv/core";
import { memory } from "@kv/memory";
import { describe, expect, it, onTestFinished } from "vitest";
import { files, hybrid } from "../src/index.ts";
import {
  collected,
  filesIn,
  hybridIn,
  large,
  listed,
  refusal,
  scratchDirectory,
  storeIn,
} from "./scratch.ts";

describe("where values go", () => {
  it("small values stay in the index, large ones lie in files, and both read back", async () => {
    const directory = await scratchDirectory();
    const store = storeIn(directory);
    await store.set("small", { a: 1 });
    expect(filesIn(directory)).toEqual([]);
    await store.set("large", large(1), { metadata: { by: "me" } });
    await store.set("bytes", new Uint8Array(1000).fill(7));
    expect(filesIn(directory)).toHaveLength(2);
    expect(await store.get("large")).toEqual(large(1));
    expect(await store.get("bytes")).toEqual(new Uint8Array(1000).fill(7));
    const entry = await store.getEntry("large");
    expect(entry?.metadata).toMatchObject({
      size: JSON.stringify(large(1)).length,
      user: { by: "me" },
    });
  });

  it("the limit is the first size that goes to a file, in bytes of UTF-8", async () => {
    const directory = await scratchDirectory();
    const store = storeIn(directory, { inlineBelow: "1KB" });
    // Two quotes, and three bytes a character.
    await store.set("below", `${"€".repeat(340)}x`);
    expect(filesIn(directory)).toHaveLength(0);
    await store.set("at", `${"€".repeat(340)}xx`);
    expect(filesIn(directory)).toHaveLength(1);
  });

  it("numbers stay where the index can add to them, whatever the limit", async () => {
    const directory = await scratchDirectory();
    const store = storeIn(directory, { inlineBelow: 0 });
    await store.setMany([
      ["n", 1],
      ["negative", -1.5],
      ["text", "1"],
    ]);
    expect(filesIn(directory)).toHaveLength(1);
    expect(await store.increment("n")).toBe(2);
    expect((await refusal(store.increment("text"))).code).toBe("KV_INVALID_VALUE");
  });

  it("equal values share one file, named by its SHA-256, which goes with the last of them", async () => {
    const directory = await scratchDirectory();
    const store = storeIn(directory);
    await store.setMany([
      ["a", large(1)],
      ["b", large(1)],
    ]);
    expect(filesIn(directory)).toHaveLength(1);
    await store.delete("a");
    expect(await files(store).collect({ grace: 0 })).toMatchObject({ removed: 0 });
    expect(await store.get("b")).toEqual(large(1));
    await store.delete("b");
    expect(await files(store).collect({ grace: 0 })).toMatchObject({ removed: 1 });
    expect(filesIn(directory)).toEqual([]);
  });

  it("has and getMetadata read no file", async () => {
    const directory = await scratchDirectory();
    const store = storeIn(directory);
    await store.set("k", large(1));
    rmSync(join(directory, "files", filesIn(directory)[0] ?? ""));
    expect(await store.has("k")).toBe(true);
    expect((await store.getMetadata("k"))?.size).toBe(JSON.stringify(large(1)).length);
    expect((await refusal(store.get("k"))).code).toBe("KV_CORRUPT");
  });

  it("reads what other limits, layouts and compressions wrote", async () => {
    const directory = await scratchDirectory();
    const ways = [{}, { compress: "gzip" }, { layout: "readable" }, { inlineBelow: "1GB" }] as const;
    for (const [i, way] of ways.entries()) {
      const store = createStore(hybridIn(directory, way));
      await store.set(`k${i}`, large(i));
      await store.close();
    }
    const store = storeIn(directory);
    expect(await store.getMany(["k0", "k1", "k2", "k3"])).toEqual([0, 1, 2, 3].map(large));
    expect(await files(store).verify()).toMatchObject({ entries: 3, problems: [] });
  });

  it("compresses where that makes smaller", async () => {
    const directory = await scratchDirectory();
    const store = storeIn(directory, { compress: "gzip" });
    const noise = crypto.getRandomValues(new Uint8Array(2000));
    await store.set("text", large(1));
    await store.set("noise", noise);
    expect(filesIn(directory).filter((name) => name.endsWith(".gz"))).toHaveLength(1);
    expect(await store.get("text")).toEqual(large(1));
    expect(await store.get("noise")).toEqual(noise);
  });

  it("reads a compressed file that another version of zlib wrote under the same name", async () => {
    const directory = await scratchDirectory();
    const store = storeIn(directory, { compress: "gzip" });
    await store.set("k", large(1));
    const path = join(directory, "files", filesIn(directory)[0] ?? "");
    const before = readFileSync(path);
    const otherwise = gzipSync(gunzipSync(before), { level: 1, strategy: constants.Z_HUFFMAN_ONLY });
    expect(otherwise.byteLength).not.toBe(before.byteLength);
    writeFileSync(path, otherwise);
    expect(await store.get("k")).toEqual(large(1));
    expect((await files(store).verify()).problems).toEqual([]);
    const found = await files(store).getStream("k");
    expect(JSON.parse(Buffer.concat(await collected(found?.stream ?? [])).toString())).toEqual(large(1));
  });

  it("keeps values of every codec, over an index of values as well", async () => {
    const directory = await scratchDirectory();
    const adapter = hybrid({ index: memory(), directory, inlineBelow: 0 });
    const store = createStore(adapter, { codec: structured });
    onTestFinished(() => store.close());
    const value = new Map([["born", new Date(0)]]);
    await store.set("map", value);
    expect(await store.get("map")).toEqual(value);
  });
});

describe("readable files", () => {
  it("are JSON with indentation under namespace and key, one a write, with a link to the latest", async () => {
    const directory = await scratchDirectory();
    const store = storeIn(directory, { layout: "readable", inlineBelow: 0 });
    const reports = store.namespace("reports");
    await reports.set("2026/november", { total: 1 });
    await reports.set("2026/november", { total: 2 });
    const folder = join(directory, "files/entries/@reports/2026%2Fnovember");
    expect(readFileSync(join(folder, "latest"), "utf8")).toBe('{\n  "total": 2\n}\n');
    expect(readlinkSync(join(folder, "latest"))).toMatch(
      /^\d{4}-\d\d-\d\dT[\d.-]+Z-[0-9a-f]{12}-[0-9a-f]{8}\.json$/,
    );
    expect(filesIn(directory)).toHaveLength(2);
    await files(store).collect({ grace: 0 });
    expect(filesIn(directory)).toHaveLength(1);
    expect(await reports.get("2026/november")).toEqual({ total: 2 });
    await reports.clear();
    await files(store).collect({ grace: 0 });
    expect(existsSync(join(directory, "files/entries/@reports"))).toBe(false);
  });

  it("tell apart what a file system might not, and hold streams under their extension", async () => {
    const directory = await scratchDirectory();
    const store = storeIn(directory, { layout: "readable", inlineBelow: 0 });
    const keys = ["a", "A", "a/b", "..", ".", "latest", "x".repeat(1000), "é", "e\u0301", "@a", "\0"];
    for (const key of keys) await store.set(key, `value of ${key}`);
    await store.namespace("a").set("b", "in a namespace");
    for (const key of keys) expect(await store.get(key)).toBe(`value of ${key}`);
    const folders = filesIn(directory).map((name) => name.slice(0, name.lastIndexOf("/")).toLowerCase());
    expect(new Set(folders).size).toBe(keys.length + 1);
    await files(store).setStream("film.mp4", [new Uint8Array(3)]);
    expect((await files(store).getMetadata("film.mp4"))?.file).toMatch(/^entries\/film\.mp4\/.*\.mp4$/);
  });
});

describe("files that were damaged by hand", () => {
  const damages = {
    "was deleted": (path: string) => rmSync(path),
    "was cut short": (path: string) => writeFileSync(path, readFileSync(path).subarray(1)),
    "was altered": (path: string) => {
      const bytes = readFileSync(path);
      const middle = bytes.length >> 1;
      bytes[middle] = (bytes[middle] ?? 0) ^ 1;
      writeFileSync(path, bytes);
    },
    "is a directory": (path: string) => {
      rmSync(path);
      mkdirSync(path);
    },
  };
  for (const compress of [false, "gzip"] as const) {
    it.each(Object.entries(damages))(
      `make KV_CORRUPT of the one entry whose file %s (compress: ${compress})`,
      async (_, damage) => {
        const directory = await scratchDirectory();
        const store = storeIn(directory, { compress });
        await store.set("broken", large(1));
        const [file = ""] = filesIn(directory);
        await store.set("sound", large(2));
        damage(join(directory, "files", file));
        const error = await refusal(store.get("broken"));
        expect(error).toMatchObject({ code: "KV_CORRUPT", key: "broken" });
        expect(error.message).toContain(file);
        expect(await store.get("sound")).toEqual(large(2));
        // The entry is kept for inspection, and neither a scan nor a collection fails because of it.
        expect(await store.has("broken")).toBe(true);
        const corrupt: unknown[] = [];
        const sound = await collected(store.entries({ onCorrupt: ({ key }) => corrupt.push(key) }));
        expect(sound.map(({ key }) => key)).toEqual(["sound"]);
        expect(corrupt).toEqual(["broken"]);
        const { problems } = await files(store).verify();
        expect(problems.map(({ key }) => key)).toEqual(["broken"]);
        await files(store).collect({ grace: 0 });
        expect(await store.has("broken")).toBe(true);
        if (_ === "is a directory") return;
        // Writing the value again repairs it.
        await store.set("broken", large(1));
        expect(await store.get("broken")).toEqual(large(1));
      },
    );
  }

  it("are KV_CORRUPT as streams, too, at their end", async () => {
    const directory = await scratchDirectory();
    const store = storeIn(directory);
    await store.set("k", large(1));
    damages["was altered"](join(directory, "files", filesIn(directory)[0] ?? ""));
    const found = await files(store).getStream("k");
    const error = await refusal(collected(found?.stream ?? []));
    expect(error).toMatchObject({ code: "KV_CORRUPT", operation: "getStream", key: "k" });
  });
});

describe("a directory that cannot be used", () => {
  it("is refused where it is a file or lies below one", async () => {
    const directory = await scratchDirectory();
    writeFileSync(join(directory, "files"), "mine");
    for (const name of ["files", "files/below"]) {
      const store = storeIn(directory, { directory: join(directory, name) });
      const error = await refusal(store.set("k", 1));
      expect(error.code).toBe("KV_UNAVAILABLE");
      expect(error.message).toContain(join(directory, name));
    }
    expect(readFileSync(join(directory, "files"), "utf8")).toBe("mine");
  });

  it("is refused where it holds another program's objects/, and nothing in it is touched", async () => {
    const directory = await scratchDirectory();
    mkdirSync(join(directory, "files/objects/ab"), { recursive: true });
    writeFileSync(join(directory, `files/objects/ab/${"c".repeat(62)}`), "a stranger's");
    expect((await refusal(storeIn(directory).set("k", 1))).code).toBe("KV_INVALID_OPTION");
    expect(listed(directory)).toEqual([`objects/ab/${"c".repeat(62)}`]);
  });

  it("is refused where a newer version wrote it", async () => {
    const directory = await scratchDirectory();
    mkdirSync(join(directory, "files/.kv"), { recursive: true });
    writeFileSync(join(directory, "files/.kv/layout.json"), '{"version":2}');
    expect(await refusal(storeIn(directory).get("k"))).toMatchObject({ code: "KV_UNSUPPORTED" });
  });

  it("is KV_READ_ONLY without permission to write", async (context) => {
    if (process.getuid?.() === 0) context.skip("root may write anywhere");
    const directory = await scratchDirectory();
    mkdirSync(join(directory, "files"));
    chmodSync(join(directory, "files"), 0o500);
    expect((await refusal(storeIn(directory).set("k", 1))).code).toBe("KV_READ_ONLY");
  });

  it("is KV_UNAVAILABLE while it is gone: nothing is written, nothing told to be corrupt, and it is found again", async () => {
    const directory = await scratchDirectory();
    const store = storeIn(directory);
    await store.set("k", large(1));
    renameSync(join(directory, "files"), join(directory, "elsewhere"));
    const operations = [
      () => store.get("k"),
      () => store.set("k", large(2)),
      () => files(store).setStream("k", ["x"]),
    ];
    for (const operation of operations)
      expect(await refusal(operation())).toMatchObject({ code: "KV_UNAVAILABLE", retryable: true });
    expect((await refusal(files(store).collect({ grace: 0 }))).code).toBe("KV_UNAVAILABLE");
    // Values in the index still work.
    await store.set("small", 1);
    expect(existsSync(join(directory, "files"))).toBe(false);
    renameSync(join(directory, "elsewhere"), join(directory, "files"));
    expect(await store.get("k")).toEqual(large(1));
  });

  it("is not made anew where it is gone at the start and the index names files in it", async () => {
    const directory = await scratchDirectory();
    const first = storeIn(directory);
    await first.namespace("deep").set("k", large(1));
    await first.close();
    renameSync(join(directory, "files"), join(directory, "elsewhere"));
    const store = storeIn(directory);
    const refused = await refusal(store.get("k"));
    expect(refused).toMatchObject({ code: "KV_UNAVAILABLE" });
    expect(refused.message).toContain("Mount the disk");
    expect(existsSync(join(directory, "files"))).toBe(false);
    renameSync(join(directory, "elsewhere"), join(directory, "files"));
    expect(await store.namespace("deep").get("k")).toEqual(large(1));
  });
});

describe("options", () => {
  it.each([
    ["no index", { index: undefined }, /index must be an adapter/],
    ["an unknown one", { inlineBellow: 5 }, /unknown option "inlineBellow".*inlineBelow/],
    ["a size that is none", { inlineBelow: "64 apples" }, /inlineBelow must be a number of bytes/],
    ["a negative size", { inlineBelow: -1 }, /inlineBelow/],
    ["a durability that is none", { durability: "most" }, /"fast" or "full"/],
    ["a compression that is none", { compress: "zip" }, /"gzip" or false/],
    ["a layout that is none", { layout: "flat" }, /"content" or "readable"/],
    ["a grace period that is none", { grace: 0 }, /grace/],
    ["an empty directory", { directory: " " }, /directory must be the path/],
    [
      "another hybrid",
      { index: hybrid({ index: memory(), directory: "/tmp" }) },
      /an adapter that is not hybrid/,
    ],
  ])("refuse %s at once", (_, options, message) => {
    expect(() => hybridIn("/nowhere", options as object)).toThrow(message);
  });

  it("files() refuses a store without files, and one whose middleware streams would go past", async () => {
    expect(() => files(createStore(memory()))).toThrow(/KV_UNSUPPORTED|has no files/);
    expect(() => files({} as never)).toThrow(/needs a store/);
    const { compression, logging } = await import("@kv/core");
    const directory = await scratchDirectory();
    expect(() => files(createStore(hybridIn(directory), { middleware: [compression()] }))).toThrow(
      /bypass it/,
    );
    const logged = createStore(hybridIn(directory), {
      middleware: [logging({ log: () => undefined })],
    });
    expect(files(logged).collect).toBeTypeOf("function");
  });
});
