import { existsSync } from "node:fs";
import { join } from "node:path";
import { KvError, type Store } from "@kv/core";
import { describe, expect, it, onTestFinished } from "vitest";
import { adapterFrom, type OpenStoreOptions, openStore, type StoreConfig } from "../src/index.ts";
import { temporaryProject } from "./temporary-project.ts";

async function opened(target: string | URL | StoreConfig, options?: OpenStoreOptions): Promise<Store> {
  const store = await openStore(target, options);
  onTestFinished(() => store.close());
  return store;
}

/** What JavaScript may pass, and types refuse. */
function unchecked(value: unknown): never {
  return value as never;
}

describe("openStore with a URL", () => {
  it.each(["memory:", "memory://", "MEMORY:", "sqlite::memory:"])("opens %s", async (url) => {
    const store = await opened(url);
    await store.set("a", { b: 1 });
    expect(await store.get("a")).toEqual({ b: 1 });
  });

  it.each(["memory:", "sqlite::memory:"])("gives every store of %s data of its own", async (url) => {
    const [one, other] = [await opened(url), await opened(url)];
    await one.set("a", 1);
    expect(await other.get("a")).toBeUndefined();
  });

  it("takes a URL object", async () => {
    const store = await opened(new URL("memory:?maxEntries=1"));
    await store.setMany([
      ["a", 1],
      ["b", 2],
    ]);
    expect(await store.count()).toBe(1);
  });

  it.each([
    ["an absolute path", (folder: string) => `sqlite:${folder}/app.db`, "app.db"],
    ["a path behind an empty host", (folder: string) => `sqlite://${folder}/app.db`, "app.db"],
    ["escapes", (folder: string) => `sqlite:${folder}/100%25%3F%23%20.db1`, "100%?# .db1"],
  ])("finds a SQLite file by %s", async (_, url, file) => {
    const folder = temporaryProject().replaceAll("\\", "/");
    const store = await openStore(url(folder));
    await store.set("a", 1);
    await store.close();
    expect(existsSync(join(folder, file))).toBe(true);
    await using again = await openStore({ adapter: "sqlite", path: join(folder, file) });
    expect(await again.get("a")).toBe(1);
  });

  it("opens nothing before the first operation", async () => {
    const folder = temporaryProject();
    await opened(`sqlite:${folder}/app.db`);
    expect(existsSync(join(folder, "app.db"))).toBe(false);
  });

  it("reads options of every kind from the query", async () => {
    const folder = temporaryProject();
    const url = `sqlite:${folder}/app.db?durability=full&table=cache&busyTimeout=1000&turnSnapshots=false`;
    await (await opened(url)).set("a", 1);
    const store = await opened(`sqlite:${folder}/app.db?readOnly=true&table=cache`);
    expect(await store.get("a")).toBe(1);
    await expect(store.set("a", 2)).rejects.toMatchObject({ code: "KV_READ_ONLY" });
  });

  it.each([
    ["memory:?maxEntrys=5", /unknown option "maxEntrys".*: maxEntries, maxBytes$/],
    ["sqlite:./a.db?sync=full", /unknown option "sync".*: durability, table, readOnly, /],
    ["memory:?maxEntries=many", /maxEntries.*must be a number/],
    ["memory:?maxEntries=", /maxEntries.*must be a number/],
    ["memory:?maxEntries=0", /maxEntries must be a positive integer/],
    ["sqlite:./a.db?readOnly=yes", /readOnly=true or readOnly=false/],
    ["sqlite:./a.db?durability=most", /durability of sqlite\(\) must be "fast" or "full"/],
    ["sqlite:./a.db?table=a&table=b", /"table" twice/],
    ["memory:things", /only options may follow "memory:"/],
    ["sqlite:", /must be followed by a path, as in sqlite:\.\/app\.db/],
    ["sqlite://", /must be followed by a path/],
    ["sqlite://app.db", /write sqlite:\.\/name for a relative path/],
    ["sqlite:./a#b.db", /write "%23"/],
    ["sqlite:./100%.db", /write "%25"/],
    [
      "sqllite:./a.db",
      /unknown scheme "sqllite"; the known ones are: memory:, sqlite:, leveldb:, redis:, rediss:, arangodb:, arangodbs:, hybrid:, tiered:/,
    ],
    ["C:\\data\\app.db", /"C"|"c"/],
    [
      "sessions",
      /the URL does not begin with an adapter's name and a colon.*"sqlite:\.\/app\.db".*kv\.config/,
    ],
    ["./app.db", /the URL does not begin with an adapter's name/],
    ["", /the URL does not begin with an adapter's name/],
  ])("refuses %s", async (url, message) => {
    const error = await openStore(url).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(KvError.is(error, "KV_INVALID_OPTION")).toBe(true);
    expect((error as Error).message).toMatch(message);
  });
});

describe("openStore of a hybrid store", () => {
  it.each([
    ["a URL", (folder: string) => `hybrid:${folder}/files?index=sqlite:${folder}/index.db&inlineBelow=0`],
    [
      "a URL with an index that has options",
      (folder: string) => {
        const index = encodeURIComponent(`sqlite:${folder}/index.db?table=entries`);
        return `hybrid:${folder}/files?index=${index}&inlineBelow=0`;
      },
    ],
    [
      "an object with a URL in it",
      (folder: string): StoreConfig => {
        const index = `sqlite:${folder}/index.db`;
        return { adapter: "hybrid", directory: join(folder, "files"), index, inlineBelow: 0 };
      },
    ],
    [
      "an object in an object",
      (folder: string): StoreConfig => {
        const index = { adapter: "sqlite", path: join(folder, "index.db") } as const;
        return { adapter: "hybrid", directory: join(folder, "files"), index, inlineBelow: 0 };
      },
    ],
  ])("puts files and index where %s says", async (_, target) => {
    const folder = temporaryProject();
    const store = await opened(target(folder));
    await store.set("a", "in a file");
    expect(await store.get("a")).toBe("in a file");
    expect(existsSync(join(folder, "files/objects"))).toBe(true);
    expect(existsSync(join(folder, "index.db"))).toBe(true);
  });

  it.each([
    ["hybrid:./files", /URL of an index/],
    ["hybrid:?index=memory:", /directory for the files/],
    ["hybrid:./files?index=memory:&layuot=readable", /unknown option "layuot".*layout/],
    ["hybrid:./files?index=nowhere:", /unknown scheme "nowhere"; the known ones are/],
    ["hybrid:./files?index=memory:&inlineBelow=much", /inlineBelow must be a number of bytes/],
  ])("refuses %s", async (url, message) => {
    await expect(openStore(url)).rejects.toThrow(message);
  });
});

describe("openStore with an object", () => {
  it("hands the adapter's options to the adapter and those under store to the store", async () => {
    const store = await opened({ adapter: "memory", maxEntries: 1, store: { defaultTtl: "5m" } });
    await store.setMany([
      ["a", 1],
      ["b", 2],
    ]);
    expect(await store.count()).toBe(1);
    expect((await store.getMetadata("b"))?.expiresAt).toBeInstanceOf(Date);
  });

  it("lets the options of the call win over those of the config, unless they are undefined", async () => {
    const config: StoreConfig = { adapter: "memory", store: { defaultTtl: "5m" } };
    const longer = await opened(config, { defaultTtl: "1h" });
    await longer.set("a", 1);
    const left = Number((await longer.getMetadata("a"))?.expiresAt) - Date.now();
    expect(left).toBeGreaterThan(3_000_000);
    const same = await opened(config, { defaultTtl: undefined });
    await same.set("a", 1);
    expect(Number((await same.getMetadata("a"))?.expiresAt) - Date.now()).toBeLessThan(301_000);
  });

  it.each([
    [
      "an unknown adapter",
      { adapter: "sqllite" },
      /"sqllite"; .* memory, sqlite, leveldb, redis, arangodb, hybrid, tiered$/,
    ],
    ["a name from the prototype", { adapter: "constructor" }, /unknown adapter "constructor"/],
    ["no adapter", { path: "./app.db" }, /adapter must be one of: memory, sqlite/],
    ["an unknown option", { adapter: "sqlite", pth: "./app.db" }, /unknown option "pth".*path, durability/],
    [
      "an unknown option of the store",
      { adapter: "memory", store: { ttl: 5 } },
      /unknown option "ttl".*defaultTtl/,
    ],
    [
      "a store that is no object",
      { adapter: "memory", store: "fast" },
      /the option store.* must be an object/,
    ],
    ["null", null, /the target must be a URL/],
    ["an array", ["memory:"], /the target must be a URL/],
    ["a number", 5, /the target must be a URL/],
  ])("refuses %s", async (_, config, message) => {
    const error = await openStore(unchecked(config)).catch((reason: unknown) => reason);
    expect(KvError.is(error, "KV_INVALID_OPTION")).toBe(true);
    expect((error as Error).message).toMatch(message);
  });

  it("refuses options that are none, and unknown ones", async () => {
    await expect(openStore("memory:", unchecked(null))).rejects.toMatchObject({ code: "KV_INVALID_OPTION" });
    await expect(openStore("memory:", unchecked({ ttl: 5 }))).rejects.toMatchObject({
      code: "KV_INVALID_OPTION",
    });
    await expect(openStore("memory:", { defaultTtl: 0 })).rejects.toMatchObject({ code: "KV_INVALID_TTL" });
  });
});

describe("adapterFrom", () => {
  it.each([["memory:"], ["sqlite::memory:"]])("makes the adapter of %s", async (url) => {
    expect((await adapterFrom(url)).name).toBe(url.split(":")[0]);
  });

  it("refuses what only a store could take", async () => {
    const config = { adapter: "memory", store: { defaultTtl: "5m" } } as const;
    await expect(adapterFrom(config)).rejects.toThrow(/remove the option store/);
    await expect(adapterFrom("memory:", unchecked({ defaultTtl: 5 }))).rejects.toThrow(/it has: from/);
  });
});

describe("openStore with two tiers", () => {
  it("opens each as a URL, an object, or an adapter", async () => {
    const path = join(temporaryProject(), "app.db");
    for (const near of [
      "memory:?maxEntries=5",
      { adapter: "memory" } as const,
      await adapterFrom("memory:"),
    ]) {
      await using store = await openStore({
        adapter: "tiered",
        near,
        far: { adapter: "sqlite", path },
        write: "behind",
      });
      await store.increment("n");
    }
    await using far = await openStore({ adapter: "sqlite", path });
    expect(await far.get("n")).toBe(3);
  });

  it.each<[string, object | string, RegExp]>([
    ["a URL", "tiered:memory:", /give an object, { adapter: "tiered"/],
    ["one tier", { adapter: "tiered", near: "memory:" }, /far must be an adapter/],
    ["an unknown tier", { adapter: "tiered", near: "memory:", far: "acme:" }, /unknown scheme "acme"/],
    [
      "a tier with options of a store",
      { adapter: "tiered", near: "memory:", far: { adapter: "memory", store: {} } },
      /remove the option store/,
    ],
    [
      "an unknown option",
      { adapter: "tiered", near: "memory:", far: "memory:", size: 1 },
      /unknown option "size"/,
    ],
  ])("refuses %s", async (_, target, message) => {
    await expect(openStore(unchecked(target))).rejects.toMatchObject({
      code: "KV_INVALID_OPTION",
      message: expect.stringMatching(message),
    });
  });
});
