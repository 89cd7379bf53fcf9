import { type Emulator, startEmulator } from "@kv/arangodb-emulator";
import { createStore, type Store } from "@kv/core";
import { Database } from "arangojs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { arangodb, links } from "../../src/index.ts";

const PATIENCE = { timeout: 10_000 };
const PARTS = ["", "_changes", "_system", "_links"];

let emulator: Emulator;
let system: Database;
beforeAll(async () => {
  emulator = await startEmulator();
  system = new Database({ url: emulator.url });
});
afterAll(() => emulator.close());

type Dump = ReadonlyMap<string, readonly object[]>;

function storeIn(database: string): Store {
  const adapter = arangodb({ url: `${emulator.url}/${database}`, watchInterval: 10 });
  const store = createStore(adapter, { sweepInterval: null });
  onTestFinished(() => store.close());
  return store;
}

/** Dumps collections like arangodump. */
async function dump(name: string): Promise<Dump> {
  const database = system.database(name);
  const all = new Map<string, readonly object[]>();
  for (const part of PARTS) {
    const cursor = await database
      .query<object>(`FOR d IN @@c RETURN d`, { "@c": `kv${part}` })
      .catch(() => undefined);
    if (cursor !== undefined) all.set(part, await cursor.all());
  }
  return all;
}

/** Restores like arangorestore: collections are dropped and created again, or emptied and filled. */
async function restore(name: string, dumped: Dump, how: "made anew" | "filled again"): Promise<void> {
  const database = system.database(name);
  for (const [part, documents] of dumped) {
    const collection = database.collection(`kv${part}`);
    if (how === "made anew") {
      await collection.drop().catch(() => undefined);
      await (part === "_links"
        ? database.createEdgeCollection(`kv${part}`)
        : database.createCollection(`kv${part}`));
    } else await collection.truncate();
    await database.query(`FOR d IN @documents INSERT d INTO @@c`, { documents, "@c": `kv${part}` });
  }
}

describe("a database that was restored from a backup", () => {
  test("a revision from the lost future matches nothing in it", async () => {
    const before = storeIn("revisions");
    await before.set("k", "backed up");
    const dumped = await dump("revisions");
    const lost = await before.set("k", "lost");
    await before.close();
    await restore("revisions", dumped, "made anew");
    const after = storeIn("revisions");
    expect(await after.get("k")).toBe("backed up");
    const made = await after.set("k", "new");
    expect(made).not.toBe(lost);
    expect(await after.replace("k", "never", { revision: lost })).toBeUndefined();
    expect(await after.get("k")).toBe("new");
  });

  test.each(["made anew", "filled again"] as const)(
    "under a store that watches (%s): it is told to read again, and both go on",
    async (how) => {
      const name = how.replace(" ", "-");
      const store = storeIn(name);
      await store.namespace("n").set("k", 1);
      await store.set("k", "backed up");
      const seen: unknown[] = [];
      await store.subscribe(({ type, value }) => void seen.push(type === "set" ? value : type));
      await store.set("k", "in the backup, too");
      await expect.poll(() => seen, PATIENCE).toContain("in the backup, too");
      const dumped = await dump(name);
      await store.set("k", "lost");
      await expect.poll(() => seen, PATIENCE).toContain("lost");
      await restore(name, dumped, how);
      await expect.poll(() => seen, PATIENCE).toContain("resync");
      expect(await store.get("k")).toBe("in the backup, too");
      await store.set("k", "new");
      await expect.poll(() => seen, PATIENCE).toContain("new");
      expect(await store.listNamespaces()).toEqual([["n"]]);
    },
  );

  test("a cursor from before goes on where it was", async () => {
    const store = storeIn("cursors");
    await store.setMany(["a", "b", "c", "e"].map((key) => [key, key]));
    const dumped = await dump("cursors");
    await store.set("bb", "lost");
    const { cursor } = await store.page({ limit: 3 });
    await store.close();
    await restore("cursors", dumped, "made anew");
    const page = await storeIn("cursors").page({ limit: 3, ...(cursor === undefined ? {} : { cursor }) });
    expect(page.entries.map(({ key }) => key)).toEqual(["c", "e"]);
  });

  test("under another name is a store of its own, links and deadlines included", async () => {
    const store = storeIn("original");
    await store.setMany(
      [
        ["a", 1],
        ["b", 2],
      ],
      { ttl: "1h" },
    );
    await links(store).link("a", "to", "b");
    await store.set("gone", 1, { ttl: 0.2 });
    const dumped = await dump("original");
    await system.createDatabase("copy");
    await restore("copy", dumped, "made anew");
    const copy = storeIn("copy");
    expect(await links(copy).related("a")).toEqual([{ key: "b", depth: 1 }]);
    expect((await copy.getMetadata("a"))?.expiresAt).toEqual((await store.getMetadata("a"))?.expiresAt);
    const seen: string[] = [];
    await store.subscribe(({ key = "" }) => void seen.push(key));
    await copy.set("a", "copy's");
    await store.set("b", "original's");
    await expect.poll(() => seen, PATIENCE).toContain("b");
    expect(seen).not.toContain("a");
    expect(await store.get("a")).toBe(1);
    // Entries that had expired in the backup are absent in the copy, too.
    await expect.poll(() => copy.has("gone"), PATIENCE).toBe(false);
  });

  test("without what this adapter keeps beside the entries has them all the same", async () => {
    const store = storeIn("partial");
    await store.set("k", 1);
    const dumped = await dump("partial");
    await system.createDatabase("part");
    await restore("part", new Map([["", dumped.get("") ?? []]]), "made anew");
    const part = storeIn("part");
    expect(await part.get("k")).toBe(1);
    await part.set("l", 2);
    expect(await part.range("")).toEqual([
      ["k", 1],
      ["l", 2],
    ]);
  });
});
