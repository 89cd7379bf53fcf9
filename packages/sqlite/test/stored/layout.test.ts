import { createStore } from "@kv/core";
import Sqlite from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { sqlite } from "../../src/index.ts";
import { commitAll, opened, pagesOf, payloadOf, ROOT, scratchPath, setting } from "../scratch.ts";

function looking(path: string): Sqlite.Database {
  const db = new Sqlite(path, { readonly: true });
  onTestFinished(() => void db.close());
  return db;
}

test("what is stored reads as keys and JSON in plain SQL", async () => {
  const path = await scratchPath();
  const store = createStore(sqlite({ path }));
  await store.set("user:1", { name: "Ada" }, { metadata: { by: "test" }, policy: "evict" });
  await store.namespace("a/b").set("bytes", new Uint8Array([1, 255]));
  await store.close();

  const rows = looking(path)
    .prepare(
      "SELECT path, key, value, typeof(value) AS type, encoding, evictable, user_metadata, expires_at FROM kv JOIN kv_namespaces ON id = namespace ORDER BY path",
    )
    .all();
  expect(rows).toEqual([
    {
      path: "",
      key: "user:1",
      value: '{"name":"Ada"}',
      type: "text",
      encoding: "json",
      evictable: 1,
      user_metadata: '{"by":"test"}',
      expires_at: null,
    },
    {
      path: "a~1b/",
      key: "bytes",
      value: Buffer.from([1, 255]),
      type: "blob",
      encoding: "bytes",
      evictable: 0,
      user_metadata: null,
      expires_at: null,
    },
  ]);
});

test("text that looks like a number stays text", async () => {
  const adapter = await opened({ path: ":memory:" });
  await commitAll(adapter, setting("k", 0, { payload: "0012", encoding: "custom" }));
  expect(await payloadOf(adapter, "k")).toBe("0012");
});

test("NUL characters in keys and payloads mean themselves", async () => {
  const adapter = await opened({ path: ":memory:" });
  const keys = ["a", "a\0", "a\0b", "\0", "\0\0", "a\0c"];
  await commitAll(
    adapter,
    ...keys.map((key) => setting(key, key, { payload: `<${key}>`, encoding: "custom" })),
  );
  for (const key of keys) expect(await payloadOf(adapter, key)).toBe(`<${key}>`);
  const many = await adapter.read(ROOT, [...keys, "a\0d", ...keys]);
  expect(many.map((entry) => entry?.payload)).toEqual(
    [...keys, undefined, ...keys].map((key) => key && `<${key}>`),
  );
  const range = { start: "", end: undefined, reverse: false, limit: 3, keysOnly: true } as const;
  const pages = await pagesOf(adapter, range);
  expect(pages.flat().map(({ key }) => key)).toEqual(["\0", "\0\0", "a"]);
});

test("several stores share a file under names of their own", async () => {
  const path = await scratchPath();
  const first = await opened({ path, table: "first" });
  const second = await opened({ path, table: "second" });
  await commitAll(first, setting("k", 1));
  expect(await payloadOf(second, "k")).toBeUndefined();
  expect(await second.clear(ROOT, { start: "", end: undefined, policy: undefined, descendants: true })).toBe(
    0,
  );
  expect(await payloadOf(first, "k")).toBe("1");
});

test("a long range is scanned in pages, each key once, in both directions", async () => {
  const adapter = await opened({ path: ":memory:" });
  const keys = Array.from({ length: 3000 }, (_, i) => `k${String(i).padStart(4, "0")}`);
  await commitAll(adapter, ...keys.map((key) => setting(key, key)));
  for (const keysOnly of [true, false]) {
    const range = { start: "k0001", end: "k2999", limit: Number.POSITIVE_INFINITY, keysOnly };
    const up = await pagesOf(adapter, { ...range, reverse: false });
    const down = await pagesOf(adapter, { ...range, reverse: true });
    expect(up.length).toBeGreaterThan(3);
    expect(up.flat().map(({ key }) => key)).toEqual(keys.slice(1, -1));
    expect(down.flat().map(({ key }) => key)).toEqual(keys.slice(1, -1).reverse());
  }
  expect(await adapter.count(ROOT, { start: "k0001", end: undefined })).toBe(2999);
  expect(
    await adapter.clear(ROOT, { start: "k0001", end: "k2999", policy: undefined, descendants: false }),
  ).toBe(2998);
});

test("long values make pages short", async () => {
  const adapter = await opened({ path: ":memory:" });
  await commitAll(
    adapter,
    ...Array.from({ length: 200 }, (_, i) => setting(`k${1000 + i}`, "x".repeat(100_000))),
  );
  const range = {
    start: "",
    end: undefined,
    reverse: false,
    limit: Number.POSITIVE_INFINITY,
    keysOnly: false,
  };
  const pages = await pagesOf(adapter, range);
  expect(pages.flat()).toHaveLength(200);
  expect(Math.max(...pages.slice(1).map((page) => page.length))).toBeLessThan(16);
});
