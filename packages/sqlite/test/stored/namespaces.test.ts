import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createStore, type Store } from "@kv/core";
import Sqlite from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { type SqliteOptions, sqlite } from "../../src/index.ts";
import { scratchPath } from "../scratch.ts";

function storeOf(options: SqliteOptions): Store {
  const store = createStore(sqlite(options), { sweepInterval: null });
  onTestFinished(() => store.close());
  return store;
}

function rowsIn(path: string): () => number {
  const db = new Sqlite(path, { readonly: true });
  onTestFinished(() => void db.close());
  const count = db.prepare<[], number>("SELECT count(*) FROM kv_namespaces WHERE path <> ''").pluck();
  return () => count.get() ?? -1;
}

describe("rows of empty namespaces", () => {
  test("go with a sweep, also of those whose entries have expired, and no others", async () => {
    const path = await scratchPath();
    let now = 1_000_000;
    const store = storeOf({ path, clock: () => now });
    await store.set("root", 1);
    const rows = rowsIn(path);
    for (let i = 0; i < 1200; i++) {
      const tenant = store.namespace("tenant", `${i}`);
      await tenant.set("k", i, i % 3 === 0 ? { ttl: 1 } : {});
      if (i % 3 === 1) await tenant.delete("k");
    }
    expect(rows()).toBe(1200);
    now += 2000;
    expect(await store.sweep()).toBe(400);
    expect(rows()).toBe(400);
    expect((await store.listNamespaces()).length).toBe(400);
    expect(await store.namespace("tenant", "2").get("k")).toBe(2);
    expect(await store.get("root")).toBe(1);
  });

  test("go with clear({ namespaces: true })", async () => {
    const path = await scratchPath();
    const store = storeOf({ path });
    for (let i = 0; i < 700; i++) await store.namespace("a", `${i}`).set("k", i);
    await store.namespace("b").set("k", 1);
    expect(await store.namespace("a").clear({ namespaces: true })).toBe(700);
    expect(rowsIn(path)()).toBe(1);
    expect(await store.clear({ namespaces: true })).toBe(1);
    expect(rowsIn(path)()).toBe(0);
  });

  test("are not made by what writes nothing", async () => {
    const path = await scratchPath();
    const store = storeOf({ path });
    const empty = store.namespace("empty");
    expect(await empty.delete("k")).toBe(false);
    expect(await empty.deleteMany(["a", "b"])).toBe(0);
    expect(await empty.updateTtl("k", 5)).toBe(false);
    expect(await empty.take("k")).toBeUndefined();
    expect(await empty.atomic().check("k", null).delete("k").commit()).toMatchObject({ ok: true });
    expect(rowsIn(path)()).toBe(0);
  });
});

describe("a store that remembers a namespace which another one removed", () => {
  /** Two stores that both know the namespace, after it was emptied and swept. */
  async function afterRemoval() {
    const path = await scratchPath();
    const [one, other] = [storeOf({ path }), storeOf({ path })];
    const [mine, theirs] = [one.namespace("n"), other.namespace("n")];
    await theirs.set("k", "old");
    expect(await mine.get("k")).toBe("old");
    await mine.set("k", "newer");
    await theirs.delete("k");
    await other.sweep();
    expect(rowsIn(path)()).toBe(0);
    // An id of its own for another namespace, which must not be that of `n`.
    await other.namespace("stranger").set("k", "strange");
    return { path, mine, theirs };
  }

  test.each<[string, (store: Store) => Promise<unknown>]>([
    ["set", (store) => store.set("k", 1)],
    ["set with everything", (store) => store.set("k", 1, { ttl: 60, policy: "evict", metadata: { a: 1 } })],
    ["set that keeps the deadline", (store) => store.set("k", 1, { keepTtl: true })],
    ["create", (store) => store.create("k", 1)],
    ["increment", (store) => store.increment("k")],
    ["update", (store) => store.update("k", () => 1)],
    [
      "setMany",
      (store) =>
        store.setMany([
          ["k", 1],
          ["l", 2],
        ]),
    ],
    ["atomic", (store) => store.atomic().check("k", null).set("k", 1).commit()],
  ])("writes into it: %s", async (_, write) => {
    const { mine, theirs } = await afterRemoval();
    await write(mine);
    expect(await mine.get("k")).toBe(1);
    expect(await theirs.get("k")).toBe(1);
    expect(await theirs.count()).toBe(await mine.count());
  });

  test.each<[string, unknown, (store: Store) => Promise<unknown>]>([
    ["get", "new", (store) => store.get("k")],
    ["getMany", ["new", undefined], (store) => store.getMany(["k", "x"])],
    ["has", true, (store) => store.has("k")],
    ["range", [["k", "new"]], (store) => store.range("")],
    ["count", 1, (store) => store.count()],
    ["take", "new", (store) => store.take("k")],
    ["delete", true, (store) => store.delete("k")],
    ["deleteMany", 1, (store) => store.deleteMany(["k", "x"])],
    ["updateTtl", true, (store) => store.updateTtl("k", 60)],
    ["updatePolicy", true, (store) => store.updatePolicy("k", "evict")],
    ["create", undefined, (store) => store.create("k", 1)],
    ["clear", 1, (store) => store.clear()],
    ["stats", 1, (store) => store.stats().then(({ keys }) => keys)],
  ])("finds what others have written into it since: %s", async (_, answer, ask) => {
    const { mine, theirs } = await afterRemoval();
    await theirs.set("k", "new");
    expect(await ask(mine)).toEqual(answer);
  });

  test("removes what a deadline in the past says", async () => {
    const { mine, theirs } = await afterRemoval();
    await theirs.set("k", "new");
    await mine.set("k", "over", { expiresAt: new Date(1) });
    expect(await theirs.get("k")).toBeUndefined();
  });
});

test("stores that fill and empty the same namespaces while others sweep lose nothing", async () => {
  const path = await scratchPath();
  const stores = [storeOf({ path }), storeOf({ path }), storeOf({ path })];
  let done = false;
  const sweeping = (async () => {
    while (!done) {
      await stores[0]?.sweep();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  await Promise.all(
    stores.map(async (store, s) => {
      for (let i = 0; i < 150; i++) {
        const namespace = store.namespace("busy", `${i % 3}`);
        const key = `${s}:${i}`;
        await namespace.set(key, i);
        const seen = await stores[(s + 1) % stores.length]?.namespace("busy", `${i % 3}`).get(key);
        expect(seen).toBe(i);
        expect(await namespace.take(key)).toBe(i);
      }
    }),
  );
  done = true;
  await sweeping;
  await stores[1]?.sweep();
  expect(rowsIn(path)()).toBe(0);
});

test("processes that fill, empty and sweep the same namespaces lose nothing", async () => {
  const path = await scratchPath();
  const rounds = process.env["KV_TEST_FULL"] === "1" ? "2000" : "60";
  const script = fileURLToPath(new URL("../processes/tenants.ts", import.meta.url));
  const exits = ["a", "bb", "ccc"].map((name) => {
    const child = fork(script, [path, name, rounds]);
    return new Promise<number | null>((resolve) => child.on("exit", resolve));
  });
  expect(await Promise.all(exits)).toEqual([0, 0, 0]);
  const store = storeOf({ path });
  await store.sweep();
  expect(rowsIn(path)()).toBe(0);
  expect(await store.count()).toBe(0);
}, 300_000);

test("watchers hear of deletions after which the namespace is removed", async () => {
  const path = await scratchPath();
  const [watching, writing] = [storeOf({ path, watchInterval: 2 }), storeOf({ path })];
  await writing.namespace("n").set("k", 1);
  const told: string[] = [];
  await watching.namespace("n").subscribe((change) => void told.push(change.type));
  await writing.namespace("n").delete("k");
  await writing.sweep();
  await expect.poll(() => told, { timeout: 20_000 }).toEqual(["delete"]);
});

test("listing and clearing many namespaces leaves the event loop alive", async () => {
  const path = await scratchPath();
  const store = storeOf({ path });
  const db = new Sqlite(path);
  await store.set("k", 1);
  db.exec(
    `WITH RECURSIVE c (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM c WHERE i < 8000)
     INSERT INTO kv_namespaces SELECT i, 't' || i || '/' FROM c`,
  );
  db.exec(
    "INSERT INTO kv SELECT id, 'k', 1, 1, 1, NULL, 0, 'json', 0, 0, NULL, '1' FROM kv_namespaces WHERE id > 1",
  );
  db.close();
  let turns = 0;
  const counting = setInterval(() => turns++, 1);
  expect(await store.listNamespaces()).toHaveLength(7999);
  expect(turns).toBeGreaterThan(0);
  turns = 0;
  expect(await store.clear({ namespaces: true })).toBe(8000);
  clearInterval(counting);
  expect(turns).toBeGreaterThan(5);
  expect(rowsIn(path)()).toBe(0);
});
