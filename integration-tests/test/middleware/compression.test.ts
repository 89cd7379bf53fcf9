import { gunzipSync, inflateSync } from "node:zlib";
import {
  type Adapter,
  type Change,
  compression,
  createStore,
  namespaceOf,
  type StoredEntry,
  structured,
} from "@kv/core";
import { memory } from "@kv/memory";
import { sqlite } from "@kv/sqlite";
import { describe, expect, it } from "vitest";
import { collected } from "./collected.ts";
import { keeping } from "./controlled.ts";

const root = namespaceOf([]);
const long = "all work and no play ".repeat(200);

async function stored(adapter: Adapter, key: string): Promise<StoredEntry> {
  const [entry] = await adapter.read(root, [key]);
  if (entry === undefined) throw new Error(`nothing is stored under ${key}`);
  return entry;
}

function plant(adapter: Adapter, key: string, payload: unknown, encoding: string) {
  const mutation = {
    type: "set",
    key,
    payload,
    encoding,
    expiresAt: undefined,
    policy: "persist",
    user: undefined,
  } as const;
  return adapter.commit(root, [{ checks: [], mutations: [mutation] }]);
}

describe.each([
  ["memory", () => memory()],
  ["sqlite", () => sqlite({ path: ":memory:" })],
] as const)("compression over %s", (_, backend) => {
  it("stores what is large compressed, and gives back what was written", async () => {
    const inner = backend();
    const store = createStore(inner, { middleware: [compression()] });
    const values: Record<string, unknown> = {
      text: long,
      object: { long, list: [1, null, "é\u{10000}\0"] },
      bytes: new TextEncoder().encode(long),
      empty: "",
      small: { n: 1 },
    };
    for (const [key, value] of Object.entries(values)) await store.set(key, value, { metadata: { of: key } });
    for (const [key, value] of Object.entries(values)) {
      expect(await store.getEntry(key)).toMatchObject({ value, metadata: { user: { of: key } } });
    }
    expect(await collected(store.entries(), ({ key, value }) => [key, value])).toEqual(
      Object.entries(values).sort(),
    );
    const { encoding, payload } = await stored(inner, "object");
    expect(encoding).toBe("deflate+json");
    expect((payload as Uint8Array).byteLength).toBeLessThan(400);
    expect((await stored(inner, "bytes")).encoding).toBe("deflate+bytes");
    await store.close();
  });

  it("leaves what is small to the backend as it is: it can read it, and add to it", async () => {
    const inner = keeping(backend());
    const store = createStore(inner, { middleware: [compression({ threshold: 64 })] });
    const plain = createStore(inner);
    await store.set("small", { n: 1 });
    expect(await plain.get("small")).toEqual({ n: 1 });
    await store.set("exact", "x".repeat(62));
    expect((await stored(inner, "exact")).encoding).toBe("json");
    await store.set("over", "x".repeat(63));
    expect((await stored(inner, "over")).encoding).toBe("deflate+json");
    expect(await store.increment("n", Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
    expect((await stored(inner, "n")).encoding).toBe("json");
    await expect(store.increment("over")).rejects.toMatchObject({ code: "KV_INVALID_VALUE" });
    await store.close();
  });

  it("leaves what becomes no smaller as it is", async () => {
    const inner = backend();
    const store = createStore(inner, { middleware: [compression()] });
    const noise = crypto.getRandomValues(new Uint8Array(5000));
    await store.set("noise", noise);
    expect((await stored(inner, "noise")).encoding).toBe("bytes");
    expect(await store.get("noise")).toEqual(noise);
    await store.close();
  });

  it("reads what was written without it, and by the other algorithm", async () => {
    const inner = keeping(backend());
    const before = createStore(inner);
    await before.set("plain", long);
    const gzip = createStore(inner, { middleware: [compression({ algorithm: "gzip" })] });
    await gzip.set("gzip", [long]);
    const store = createStore(inner, { middleware: [compression()], codec: structured });
    await store.set("deflate", new Map([[long, 1]]));
    expect(await store.get("plain")).toBe(long);
    expect(await store.get("gzip")).toEqual([long]);
    expect(await store.get("deflate")).toEqual(new Map([[long, 1]]));
    expect((await stored(inner, "deflate")).encoding).toBe("deflate+structured");
    // The first byte says what the bytes are of.
    const gunzipped = gunzipSync((await stored(inner, "gzip")).payload as Uint8Array);
    expect(gunzipped.subarray(1).toString()).toBe(JSON.stringify([long]));
    expect(inflateSync((await stored(inner, "deflate")).payload as Uint8Array).length).toBeGreaterThan(4000);
  });

  it("reports what was altered as KV_CORRUPT, and nothing beside it", async () => {
    const inner = backend();
    const store = createStore(inner, { middleware: [compression()], onCorrupt: () => undefined });
    await store.set("a", long);
    await store.set("c", long);
    const { payload } = await stored(inner, "a");
    const altered = new Uint8Array(payload as Uint8Array);
    altered[20] = (altered[20] ?? 0) ^ 1;
    await plant(inner, "b", altered, "deflate+json");
    await plant(inner, "d", altered.subarray(0, 20), "deflate+json");
    await plant(inner, "e", "text", "gzip+json");
    for (const key of ["b", "d", "e"]) {
      await expect(store.get(key)).rejects.toMatchObject({ code: "KV_CORRUPT", key, operation: "get" });
      await expect(store.getMany(["a", key])).rejects.toMatchObject({ code: "KV_CORRUPT", key });
    }
    const [good, bad] = await Promise.allSettled([store.get("a"), store.get("b")]);
    expect(good).toEqual({ status: "fulfilled", value: long });
    expect(bad.status).toBe("rejected");
    expect(await collected(store.entries(), ({ key }) => key)).toEqual(["a", "c"]);
    expect(await collected(store.keys())).toEqual(["a", "b", "c", "d", "e"]);
    await expect(collected(store.scope("x").keys())).resolves.toEqual([]);
    await store.close();
  });

  it("tells watchers of changes decompressed and in order, however long each takes", async () => {
    const store = createStore(backend(), { middleware: [compression()] });
    const seen: unknown[] = [];
    await store.subscribe((change: Change<unknown>) => {
      seen.push("value" in change ? change.value : change.type);
    });
    for (let i = 0; i < 20; i++) {
      await store.set(`k${i}`, i % 2 === 0 ? i : `${i} ${long.repeat(20)}`);
      if (i % 5 === 0) await store.delete(`k${i}`);
    }
    // The last state of every key always arrives; how many of those before, depends on the machine's haste.
    const isLast = (one: unknown): boolean => typeof one === "string" && one.startsWith("19 ");
    while (!seen.some(isLast)) await new Promise((resolve) => setTimeout(resolve, 5));
    const summary = seen.map((one) => (typeof one === "string" ? (one.split(" ")[0] ?? "") : String(one)));
    const last = summary.filter((one) => one !== "delete").map(Number);
    expect(last).toEqual(last.toSorted((a, b) => a - b));
    expect(last).toEqual(expect.arrayContaining([1, 3, 19]));
    await store.close();
  });
});
