import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Adapter,
  compression,
  createStore,
  encryption,
  forward,
  namespaceOf,
  type Store,
  type StoredEntry,
} from "@kv/core";
import { memory } from "@kv/memory";
import { sqlite } from "@kv/sqlite";
import { afterEach, describe, expect, it, vi } from "vitest";
import { collected } from "./collected.ts";
import { keeping } from "./controlled.ts";

const root = namespaceOf([]);
const oldKey = new Uint8Array(32).fill(1);
const newKey = new Uint8Array(32).fill(2);

function over(adapter: Adapter, options: Parameters<typeof encryption>[0] = { key: oldKey }): Store {
  return createStore(keeping(adapter), { middleware: [encryption(options)], onCorrupt: () => undefined });
}

async function stored(adapter: Adapter, key: string, namespace = root): Promise<StoredEntry> {
  const [entry] = await adapter.read(namespace, [key]);
  if (entry === undefined) throw new Error(`nothing is stored under ${key}`);
  return entry;
}

/** Stores a payload under a key, as an attacker with access to the backend could. */
function plant(
  adapter: Adapter,
  key: string,
  { payload, encoding }: Pick<StoredEntry, "payload" | "encoding">,
  path: string[] = [],
) {
  const mutation = {
    type: "set",
    key,
    payload,
    encoding,
    expiresAt: undefined,
    policy: "persist",
    user: undefined,
  } as const;
  return adapter.commit(namespaceOf(path), [{ checks: [], mutations: [mutation] }]);
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("encryption", () => {
  it("leaves nothing of values and user metadata in the backend", async () => {
    const directory = mkdtempSync(join(tmpdir(), "kv-encryption-"));
    try {
      const store = createStore(sqlite({ path: join(directory, "secret.db") }), {
        middleware: [encryption({ key: oldKey })],
      });
      const value = { name: "a secret of mine", amount: 123456789 };
      await store.set("visible", value, { metadata: { note: "a hidden note" } });
      await store.set("visible bytes", new TextEncoder().encode("secret bytes"));
      await store.increment("counted", 987654321);
      expect(await store.getEntry("visible")).toMatchObject({
        value,
        metadata: { user: { note: "a hidden note" } },
      });
      await store.close();
      const files = readdirSync(directory).map((name) =>
        readFileSync(join(directory, name)).toString("latin1"),
      );
      expect(files.join()).toContain("visible");
      for (const secret of ["secret of mine", "123456789", "hidden note", "secret bytes", "987654321"]) {
        expect(files.join()).not.toContain(secret);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("writes the same value differently each time, and says how it wrote it", async () => {
    const inner = memory();
    const store = over(inner);
    await store.setMany([
      ["a", "same"],
      ["b", "same"],
    ]);
    const [a, b] = [await stored(inner, "a"), await stored(inner, "b")];
    expect(a).toMatchObject({ encoding: "aes+json", user: undefined });
    expect(Buffer.from(a.payload as Uint8Array).equals(Buffer.from(b.payload as Uint8Array))).toBe(false);
  });

  it("reports what was altered, moved, or written with another key as KV_CORRUPT, and nothing beside it", async () => {
    const inner = memory();
    const store = over(inner);
    await store.set("a", 1);
    const a = await stored(inner, "a");
    const altered = new Uint8Array(a.payload as Uint8Array);
    altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
    await plant(inner, "altered", { ...a, payload: altered });
    await plant(inner, "moved", { payload: a.payload, encoding: a.encoding });
    await plant(inner, "cut", { payload: altered.subarray(0, 30), encoding: a.encoding });
    await plant(inner, "empty", { payload: new Uint8Array(), encoding: a.encoding });
    await plant(inner, "text", { payload: "text", encoding: a.encoding });
    await plant(inner, "plain", { payload: 1, encoding: "json" });
    await plant(inner, "a", { payload: a.payload, encoding: a.encoding }, ["elsewhere"]);
    await plant(inner, "renamed", { payload: a.payload, encoding: "aes+bytes" });
    await over(inner, { key: newKey }).set("other key", 1);
    await over(inner, { keys: { unknown: newKey }, current: "unknown" }).set("unknown key", 1);
    await store.set("z", 2);
    const bad = ["altered", "moved", "cut", "empty", "text", "plain", "renamed", "other key", "unknown key"];
    for (const key of bad) {
      await expect(store.get(key), key).rejects.toMatchObject({ code: "KV_CORRUPT", key, operation: "get" });
      await expect(store.increment(key), key).rejects.toMatchObject({ code: "KV_CORRUPT", key });
      await expect(store.take(key), key).rejects.toMatchObject({ code: "KV_CORRUPT", key });
    }
    await expect(store.namespace("elsewhere").get("a")).rejects.toMatchObject({ code: "KV_CORRUPT" });
    expect(await collected(store.entries(), ({ key, value }) => [key, value])).toEqual([
      ["a", 1],
      ["z", 2],
    ]);
    expect(await store.count()).toBe(bad.length + 2);
    expect(await store.has("moved")).toBe(true);
    // What cannot be read can be replaced and deleted.
    await store.set("moved", 3);
    expect(await store.get("moved")).toBe(3);
    expect(await store.delete("altered")).toBe(true);
  });

  it("lets keys be replaced", async () => {
    const inner = memory();
    await over(inner).set("a", "old");
    const rotated = over(inner, { keys: { default: oldKey, "2026-11": newKey }, current: "2026-11" });
    expect(await rotated.get("a")).toBe("old");
    await rotated.set("b", "new");
    await rotated.update("a", (value) => value);
    const after = over(inner, { keys: { "2026-11": newKey }, current: "2026-11" });
    expect(await after.getMany(["a", "b"])).toEqual(["old", "new"]);
  });

  it("takes a CryptoKey, and keeps its own copy of bytes", async () => {
    const inner = memory();
    const imported = await crypto.subtle.importKey("raw", oldKey, "AES-GCM", false, ["encrypt", "decrypt"]);
    await over(inner, { key: imported }).set("a", 1);
    const bytes = new Uint8Array(oldKey);
    const store = over(inner, { key: bytes });
    bytes.fill(0);
    expect(await store.get("a")).toBe(1);
    const readOnly = await crypto.subtle.importKey("raw", oldKey, "AES-GCM", false, ["decrypt"]);
    expect(() => encryption({ key: readOnly })).toThrow("AES-GCM CryptoKey of 256 bits");
  });

  it.each([
    ["memory", () => memory()],
    ["sqlite", () => sqlite({ path: ":memory:" })],
  ])("can be taken on where entries of %s are plain", async (_, backend) => {
    const inner = keeping(backend());
    const before = createStore(inner);
    await before.set("text", "1", { metadata: { of: "text" } });
    await before.set("n", 1);
    await before.set("bytes", new Uint8Array([1]));
    await expect(over(inner).get("text")).rejects.toMatchObject({ code: "KV_CORRUPT", key: "text" });
    const store = over(inner, { key: oldKey, readPlain: true });
    expect(await store.getMany(["text", "n", "bytes"])).toEqual(["1", 1, new Uint8Array([1])]);
    expect((await store.getMetadata("text"))?.user).toEqual({ of: "text" });
    expect(await store.increment("n")).toBe(2);
    expect((await stored(inner, "n")).encoding).toBe("aes+json");
  });

  it("does not decrypt what only keys are asked of", async () => {
    const store = over(memory());
    await store.setMany(Array.from({ length: 10 }, (_, i) => [`k${i}`, i] as const));
    const decrypt = vi.spyOn(crypto.subtle, "decrypt");
    expect((await collected(store.keys())).length).toBe(10);
    expect(await store.count()).toBe(10);
    await store.clear({ prefix: "k1" });
    expect(decrypt).not.toHaveBeenCalled();
  });

  it("goes inside of compression", async () => {
    const inner = memory();
    const store = createStore(keeping(inner), { middleware: [compression(), encryption({ key: oldKey })] });
    await store.set("k", "long ".repeat(1000));
    const entry = await stored(inner, "k");
    expect(entry.encoding).toBe("aes+deflate+json");
    expect((entry.payload as Uint8Array).byteLength).toBeLessThan(300);
    expect(await store.get("k")).toBe("long ".repeat(1000));
  });
});

describe("increments of what is encrypted", () => {
  it("add up to the number that there were, among several stores", async () => {
    const inner = memory();
    const late = forward(inner, {
      commit: async (namespace, commits) => {
        await new Promise((resolve) => setImmediate(resolve));
        return inner.commit(namespace, commits);
      },
    });
    const stores = [over(late), over(late), over(late)];
    const sums = await Promise.all(
      Array.from({ length: 60 }, (_, i) => stores[i % 3]?.increment("n", 1, { ttl: 60, policy: "evict" })),
    );
    expect(new Set(sums).size).toBe(60);
    expect(await stores[0]?.get("n")).toBe(60);
    expect(await stores[0]?.getMetadata("n")).toMatchObject({ policy: "evict", expiresAt: expect.any(Date) });
  });

  it("keep deadline, policy and user metadata", async () => {
    let now = 1e12;
    const store = over(memory({ clock: () => now }));
    await store.set("n", 1, { ttl: 60, policy: "evict", metadata: { of: "n" } });
    const before = await store.getMetadata("n");
    now += 1000;
    expect(await store.increment("n", 2, { ttl: 5 })).toBe(3);
    const after = await store.getMetadata("n");
    expect(after).toMatchObject({
      expiresAt: before?.expiresAt,
      createdAt: before?.createdAt,
      policy: "evict",
      user: { of: "n" },
    });
    expect(after?.updatedAt.getTime()).toBe(now);
    now += 60_000;
    expect(await store.increment("n", 2)).toBe(2);
    expect(await store.getMetadata("n")).not.toHaveProperty("expiresAt");
  });

  it("are all or nothing with the rest of their commit", async () => {
    const store = over(memory());
    const revision = await store.set("a", 1);
    await store.set("text", "1");
    expect(
      await store
        .atomic()
        .check("a", revision)
        .set("b", 10)
        .increment("b", 5)
        .increment("a")
        .delete("text")
        .commit(),
    ).toMatchObject({ ok: true });
    expect(await store.getMany(["a", "b", "text"])).toEqual([2, 15, undefined]);
    expect(await store.atomic().check("a", revision).increment("b").commit()).toEqual({
      ok: false,
      failed: ["a"],
    });
    await store.set("text", "1");
    await expect(store.atomic().set("b", 0).increment("text").commit()).rejects.toMatchObject({
      code: "KV_INVALID_VALUE",
    });
    await expect(store.increment("b", Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({
      code: "KV_INVALID_VALUE",
    });
    expect(await store.get("b")).toBe(15);
  });

  it("see what the adapter's own commits before them in a call did", async () => {
    const adapter = encryption({ key: oldKey })(memory({ clock: () => 1000 }));
    await adapter.open();
    const set = (key: string, payload: string, expiresAt?: number) =>
      ({
        type: "set",
        key,
        payload,
        encoding: "json",
        expiresAt,
        policy: "persist",
        user: undefined,
      }) as const;
    const increment = (key: string, by: number) =>
      ({ type: "increment", key, by, expiresAt: 5000, policy: "persist", user: undefined }) as const;
    const commit = { checks: [], mutations: [increment("n", 1)] };
    const results = await adapter.commit(root, [
      commit,
      commit,
      { checks: [], mutations: [set("n", "10"), increment("n", 1), increment("m", 1)] },
      { checks: [{ key: "m", revision: null }], mutations: [increment("n", 1)] },
      { checks: [], mutations: [{ type: "delete", key: "n" }, increment("n", 2)] },
      { checks: [], mutations: [set("n", "7", 900), increment("n", 3)] },
      {
        checks: [],
        mutations: [{ type: "touch", key: "n", expiresAt: 9000, policy: "evict" }, increment("n", 1)],
      },
    ]);
    expect(
      results.map((result) => (result.status === "ok" ? result.outcomes.map(({ value }) => value) : result)),
    ).toEqual([
      [1],
      [2],
      [undefined, 11, 1],
      { status: "conflict", failed: ["m"] },
      [undefined, 2],
      [undefined, 3],
      [undefined, 4],
    ]);
    const [n] = await adapter.read(root, ["n"]);
    expect(n).toMatchObject({ payload: "4", expiresAt: 9000, policy: "evict" });
  });

  it("take as many calls as there are increments of one key, not of all", async () => {
    const inner = memory();
    let commits = 0;
    const store = over(
      forward(inner, {
        batch: { read: true, commit: true },
        commit(namespace, made) {
          commits++;
          return inner.commit(namespace, made);
        },
      }),
    );
    await store.get("open");
    await Promise.all(Array.from({ length: 300 }, (_, i) => store.increment(`k${i % 100}`)));
    expect(commits).toBeLessThanOrEqual(3);
    expect(await store.get("k99")).toBe(3);
  });
});
