import { fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createStore, KvError } from "@kv/core";
import { ClassicLevel } from "classic-level";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { type LeveldbPathOptions, leveldb } from "../../src/index.ts";
import { damageIn } from "../../src/integrity/write-ahead-log.ts";
import { decodeEntry, encodeEntry, type Fields, LeveldbEntry } from "../../src/stored/entry.ts";
import { refusalOf, scratchPath } from "../scratch.ts";
import type { Findings, Task } from "./damaged-reader.ts";

const fields: fc.Arbitrary<Fields> = fc.record({
  revision: fc.nat().map(String),
  createdAt: fc.nat().map(String),
  updatedAt: fc.nat().map(String),
  expiresAt: fc.option(fc.nat(), { nil: undefined }),
  policy: fc.constantFrom("persist", "evict"),
  encoding: fc.oneof(fc.constantFrom("json", "bytes"), fc.string({ unit: "grapheme", minLength: 1 })),
  user: fc.option(fc.json(), { nil: undefined }),
});
const payload = fc.oneof(fc.string({ unit: "grapheme" }), fc.uint8Array());
const asStored = (value: string | Uint8Array) => Buffer.from(value as Uint8Array);

describe("the value of an entry", () => {
  test("gives back what was put into it, read as text or as bytes", () => {
    fc.assert(
      fc.property(fields, payload, (some, content) => {
        const value = encodeEntry("key", some, content);
        const forms = typeof value === "string" ? [value, asStored(value)] : [value];
        for (const form of forms) {
          const entry = decodeEntry("k", "key", form);
          expect(entry).toMatchObject({
            key: "k",
            payload: content,
            revision: some.revision,
            createdAt: Number(some.createdAt),
            updatedAt: Number(some.updatedAt),
            expiresAt: some.expiresAt,
            policy: some.policy,
            encoding: some.encoding,
            user: some.user,
            size: asStored(content).length,
          });
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("is refused where any of its bits was turned, or it lies under another key", () => {
    fc.assert(
      fc.property(fields, payload, fc.nat(), (some, content, at) => {
        const value = encodeEntry("key", some, content);
        expect(decodeEntry("k", "kez", value)).not.toBeInstanceOf(LeveldbEntry);
        const altered = asStored(value);
        const bit = at % (altered.length * 8);
        altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const forms = typeof value === "string" ? [altered.toString(), altered] : [altered];
        for (const form of forms) {
          const entry = decodeEntry("k", "key", form);
          // Some bits of the checksum itself do not count.
          if (bit < 64 && entry instanceof LeveldbEntry) expect(entry.payload).toEqual(content);
          else expect(() => entry.payload).toThrow(expect.objectContaining({ code: "KV_CORRUPT" }));
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("an altered entry", () => {
  test("is KV_CORRUPT where it is read, is there where that is asked, and can be written anew or deleted", async () => {
    const database = new ClassicLevel(await scratchPath());
    onTestFinished(() => database.close());
    const store = createStore(leveldb({ database }), { onCorrupt: "skip" });
    await store.setMany([
      ["a", "good"],
      ["b", "altered"],
      ["c", "good"],
    ]);
    const key = "!kv!e\0b";
    await database.put(key, (await database.get(key))?.replace("altered", "altared") ?? "");
    await expect(store.get("b")).rejects.toMatchObject({ code: "KV_CORRUPT", key: "b" });
    await expect(store.getMetadata("b")).rejects.toMatchObject({ code: "KV_CORRUPT" });
    await expect(store.updateTtl("b", 5)).rejects.toMatchObject({ code: "KV_CORRUPT" });
    expect(await store.has("b")).toBe(true);
    expect(await store.count()).toBe(3);
    expect(await store.range("")).toEqual([
      ["a", "good"],
      ["c", "good"],
    ]);
    expect(await store.create("b", 1)).toBeUndefined();
    await store.set("b", "new");
    expect(await store.get("b")).toBe("new");
    await database.put(key, "garbage");
    expect(await store.delete("b")).toBe(true);
    expect(await store.has("b")).toBe(false);
    await store.close();
  });
});

/** Makes a store with tables and a log, and closes it. Returns its entries. */
async function filled(path: string): Promise<Map<string, string>> {
  const store = createStore(leveldb({ path, writeBufferSize: 2 ** 16 }));
  const entries = new Map(Array.from({ length: 3000 }, (_, i) => [`key ${i}`, `value ${i} `.repeat(5)]));
  const all = [...entries];
  for (let from = 0; from < all.length; from += 100) await store.setMany(all.slice(from, from + 100));
  await store.close();
  return entries;
}

function filesOf(path: string, kind: RegExp): string[] {
  return readdirSync(path)
    .filter((file) => kind.test(file) && readFileSync(join(path, file)).length > 0)
    .map((file) => join(path, file));
}

/** Expects a store over damaged files to answer each read with the right value or an error. Returns the errors' codes. */
async function answers(
  options: LeveldbPathOptions,
  entries: ReadonlyMap<string, string>,
): Promise<Set<string>> {
  const codes = new Set<string>();
  const store = createStore(leveldb(options));
  for (const [key, value] of entries) {
    try {
      expect([value, undefined]).toContain(await store.get(key));
    } catch (error) {
      if (!KvError.is(error)) throw error;
      codes.add(error.code);
      if (error.message.includes("the database")) break;
    }
  }
  await store.close();
  return codes;
}

/** In a process of its own, which LevelDB ends (`undefined`) if it merges a table whose keys are out of order. */
async function readElsewhere(task: Task): Promise<Findings | undefined> {
  const child = fork(fileURLToPath(new URL("./damaged-reader.ts", import.meta.url)), { silent: true });
  let found: Findings | undefined;
  let said = "";
  child.once("message", (findings: Findings) => {
    found = findings;
  });
  child.stderr?.on("data", (text) => {
    said += text;
  });
  child.send(task);
  await once(child, "close");
  if (found === undefined) expect(said).toMatch(/Assertion .* failed/);
  return found;
}

describe("damaged files", () => {
  test("a bit turned in a log is KV_CORRUPT, naming file and place; what a kill leaves behind is not", async () => {
    const path = await scratchPath();
    await filled(path);
    const [file = ""] = filesOf(path, /\.log$/);
    const log = readFileSync(file);
    expect(damageIn(log)).toBeUndefined();
    for (let length = 0; length < log.length; length += 97)
      expect(damageIn(log.subarray(0, length))).toBeUndefined();
    expect(damageIn(Buffer.concat([log, Buffer.alloc(5000)]))).toBeUndefined();
    log[500] = (log[500] ?? 0) ^ 4;
    writeFileSync(file, log);
    expect(await refusalOf({ path })).toMatchObject({
      code: "KV_CORRUPT",
      message: expect.stringMatching(/\.log, .* altered at byte 0; restore/),
    });
  });

  function turnBits(path: string, place: number): void {
    for (const file of filesOf(path, /\.ldb$/)) {
      const table = readFileSync(file);
      const at = Math.floor(table.length * place);
      table[at] = (table[at] ?? 0) ^ 1;
      writeFileSync(file, table);
    }
  }

  test.each([0, 0.1, 0.35, 0.5, 0.75, 0.999])(
    "a bit turned in a table, at %f of it, is KV_CORRUPT naming it when it is opened",
    async (place) => {
      const path = await scratchPath();
      await filled(path);
      turnBits(path, place);
      expect(await refusalOf({ path })).toMatchObject({
        code: "KV_CORRUPT",
        message: expect.stringMatching(/table \d+\.ldb was altered .*; restore/),
      });
    },
  );

  test("tables that are not looked at, because they are too large or were not there, give no wrong value", async () => {
    for (const place of [0.1, 0.35, 0.5, 0.75]) {
      const path = await scratchPath();
      const entries = await filled(path);
      if (place > 0.4) rmSync(join(path, "kv-tables.json"));
      turnBits(path, place);
      const verifyUpTo = place > 0.4 ? undefined : 1000;
      const found = await readElsewhere({ options: { path, verifyUpTo }, entries: [...entries] });
      expect(found?.wrong ?? []).toEqual([]);
      for (const code of found?.codes ?? []) expect(code).toBe("KV_CORRUPT");
    }
  });

  test("closing reads no tables that opening would not look at", async () => {
    const path = await scratchPath();
    const store = createStore(leveldb({ path, writeBufferSize: 2 ** 16, verifyUpTo: 1000 }));
    for (let i = 0; i < 30; i++) await store.set(`key ${i}`, "x".repeat(10_000));
    await store.close();
    expect(filesOf(path, /\.ldb$/).length).toBeGreaterThan(0);
    expect(readdirSync(path)).not.toContain("kv-tables.json");
  });

  test("tables that LevelDB has merged since are forgotten, and new ones are known", async () => {
    const path = await scratchPath();
    const entries = await filled(path);
    const known = () => Object.keys(JSON.parse(readFileSync(join(path, "kv-tables.json"), "utf8"))).sort();
    const tables = () => readdirSync(path).filter((file) => file.endsWith(".ldb"));
    const before = tables();
    expect(known()).toEqual(before.sort());
    const db = new ClassicLevel(path);
    await db.compactRange("", "\uffff");
    await db.close();
    expect(await answers({ path }, entries)).toEqual(new Set());
    expect(tables()).not.toEqual(before);
    expect(known()).toEqual(tables().sort());
  });

  test.each([/\.ldb$/, /\.log$/, /^MANIFEST-/, /^CURRENT$/])(
    "a file %s cut short is KV_CORRUPT",
    async (kind) => {
      const path = await scratchPath();
      const entries = await filled(path);
      for (const file of filesOf(path, kind)) truncateSync(file, Math.floor(readFileSync(file).length / 2));
      expect(await answers({ path }, entries)).toEqual(new Set(["KV_CORRUPT"]));
    },
  );
});
