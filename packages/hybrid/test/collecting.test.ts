import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Adapter,
  type Commit,
  createStore,
  encryption,
  forward,
  Refusal,
  type StoredEntry,
} from "@kv/core";
import { memory } from "@kv/memory";
import { sqlite } from "@kv/sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { files } from "../src/index.ts";
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

/** However busy the machine is. */
const PATIENT = { timeout: 20_000 };

/** Makes files look as if they had been written this long ago. */
function age(directory: string, minutes: number): void {
  const then = Date.now() / 1000 - minutes * 60;
  for (const name of filesIn(directory)) utimesSync(join(directory, "files", name), then, then);
}

describe("collecting", () => {
  it("removes what was replaced, deleted, cleared and has expired, and nothing else", async () => {
    const directory = await scratchDirectory();
    let now = Date.now();
    const index = sqlite({ path: join(directory, "index.db"), clock: () => now });
    const store = storeIn(directory, { index });
    const other = store.namespace("other", "one");
    for (let i = 0; i < 10; i++) await store.set(`k${i}`, large(i), { ttl: i === 3 ? "1h" : null });
    await other.set("kept", large(100));
    await other.set("cleared", large(101), { policy: "evict" });
    await store.set("k0", large(50));
    await store.set("k1", "small now");
    await store.delete("k2");
    await other.clearCache();
    now += 2 * 3_600_000;
    const report = await files(store).collect({ grace: 0 });
    expect(report).toMatchObject({ removed: 5, restored: 0 });
    expect(report.bytes).toBeGreaterThan(5_000);
    expect(filesIn(directory)).toHaveLength(8);
    expect(await files(store).verify()).toMatchObject({
      ...{ entries: 8, problems: [], unreferenced: { files: 0, bytes: 0 } },
    });
    expect(await store.get("k0")).toEqual(large(50));
    expect(await other.get("kept")).toEqual(large(100));
  });

  it("leaves files alone for the grace period, then keeps them as long in quarantine, from where they come back", async () => {
    const directory = await scratchDirectory();
    const index = sqlite({ path: join(directory, "index.db") });
    const store = storeIn(directory, { index, grace: "5m" });
    await store.set("k", large(1));
    const [before] = await index.read({ path: [], id: "" }, ["k"]);
    await store.delete("k");
    const nothing = { removed: 0, quarantined: 0, restored: 0 };
    expect(await files(store).collect()).toMatchObject(nothing);
    age(directory, 6);
    expect(await files(store).collect()).toMatchObject({ ...nothing, quarantined: 1 });
    expect(filesIn(directory)).toEqual([]);
    expect(await files(store).collect()).toMatchObject(nothing);
    // An index that lost its last write, the deletion.
    const back: Commit["mutations"][number] = {
      ...{ type: "set", key: "k", payload: before?.payload, encoding: before?.encoding ?? "" },
      ...{ expiresAt: undefined, policy: "persist", user: undefined },
    };
    await index.commit({ path: [], id: "" }, [{ checks: [], mutations: [back] }]);
    expect(await store.get("k"), "read from quarantine").toEqual(large(1));
    expect(await files(store).collect()).toMatchObject({ ...nothing, restored: 1 });
    expect(filesIn(directory)).toHaveLength(1);
    expect(await store.get("k")).toEqual(large(1));
  });

  it("puts nothing back over a file that was written since", async () => {
    const directory = await scratchDirectory();
    const store = storeIn(directory);
    await store.set("k", large(1));
    const [file = ""] = filesIn(directory);
    await store.delete("k");
    // While no entry names it.
    writeFileSync(join(directory, "files", file), "altered");
    age(directory, 2);
    expect(await files(store).collect({ grace: "1m" })).toMatchObject({ quarantined: 1 });
    await store.set("k", large(1));
    expect(await files(store).collect({ grace: "1m" })).toMatchObject({ restored: 0, removed: 1 });
    expect(await store.get("k")).toEqual(large(1));
  });

  it("removes what processes that are gone were writing, and no file that it does not know", async () => {
    const directory = await scratchDirectory();
    const store = storeIn(directory);
    await store.set("k", large(1));
    const strange = ["objects/ab/notes.txt", "entries/readme.md", "mine.txt", "objects/zz/x"];
    for (const name of ["objects/ab", "objects/zz", "entries"])
      mkdirSync(join(directory, "files", name), { recursive: true });
    const elsewhere = [".kv/tmp/0123456789ab.1-00", ".kv/pins/0123456789ab.1-00"];
    for (const name of [...strange, ...elsewhere]) writeFileSync(join(directory, "files", name), "x");
    await files(store).collect({ grace: 0 });
    // Whether a process of another machine has ended cannot be known here.
    for (const name of elsewhere) {
      expect(listed(directory)).toContain(name);
      utimesSync(join(directory, "files", name), 0, 0);
    }
    await files(store).collect({ grace: 0 });
    expect(listed(directory)).toEqual(
      [".kv/collected", ".kv/layout.json", ...filesIn(directory), "mine.txt"].sort(),
    );
    for (const name of strange) expect(listed(directory)).toContain(name);
  });

  it("keeps a file whose commit is not known to have failed, for the grace period", async () => {
    const directory = await scratchDirectory();
    const inner = memory();
    await inner.open();
    let held: (() => void) | undefined;
    // The answer is lost on its way; the commit itself is late.
    const index: Adapter = forward(inner, {
      open: () => undefined,
      close: () => undefined,
      commit(namespace, commits) {
        held = () => void inner.commit(namespace, commits);
        return Promise.reject(new Error("the connection was lost"));
      },
    });
    const store = storeIn(directory, { index, grace: "1m" });
    await expect(store.set("k", large(1))).rejects.toThrow("the connection was lost");
    age(directory, 2);
    expect(await files(store).collect()).toMatchObject({ quarantined: 0, removed: 0 });
    expect(await files(store).collect({ grace: 0 })).toMatchObject({ removed: 0 });
    held?.();
    expect(await store.get("k")).toEqual(large(1));
  });

  it("removes nothing where an entry of the index cannot be read: it may name any file", async () => {
    const directory = await scratchDirectory();
    const open = (letter: string) =>
      createStore(
        hybridIn(directory, {
          index: encryption({ key: new Uint8Array(Buffer.alloc(32, letter)) })(
            sqlite({ path: join(directory, "index.db") }),
          ),
        }),
      );
    const right = open("a");
    await right.set("k", large(1));
    await right.close();
    const wrong = open("b");
    onTestFinished(() => wrong.close());
    expect(await refusal(files(wrong).collect({ grace: 0 }))).toMatchObject({ code: "KV_CORRUPT" });
    expect(filesIn(directory)).toHaveLength(1);
    const again = open("a");
    onTestFinished(() => again.close());
    expect(await again.get("k")).toEqual(large(1));
  });

  it("removes nothing, and nobody else is concerned, where the index itself finds an entry damaged", async () => {
    const directory = await scratchDirectory();
    const inner = memory();
    // As LevelDB reports an entry whose checksum differs: only its key can be read.
    const damaged = (entry: StoredEntry | undefined): StoredEntry | undefined => {
      if (entry?.key !== "damaged") return entry;
      const fail = (): never => {
        throw new Refusal("KV_CORRUPT", "its checksum differs");
      };
      return Object.defineProperties({ key: entry.key } as StoredEntry, {
        ...{ payload: { get: fail }, encoding: { get: fail }, revision: { get: fail }, size: { get: fail } },
      });
    };
    const index: Adapter = forward(inner, {
      read: async (...args) => (await inner.read(...args)).map(damaged),
      async *scan(...args) {
        for await (const page of inner.scan(...args)) yield page.map((entry) => damaged(entry) ?? entry);
      },
    });
    const store = storeIn(directory, { index });
    await store.setMany(["a", "damaged", "z"].map((key, i) => [key, large(i)]));
    expect(await refusal(store.get("damaged"))).toMatchObject({ code: "KV_CORRUPT", key: "damaged" });
    expect(await refusal(files(store).getStream("damaged"))).toMatchObject({ code: "KV_CORRUPT" });
    expect(await store.has("damaged")).toBe(true);
    expect(await store.get("a")).toEqual(large(0));
    const found = await collected(store.keys());
    expect(found).toEqual(["a", "damaged", "z"]);
    const values = await collected(store.values({ onCorrupt: () => undefined }));
    expect(values).toEqual([large(0), large(2)]);
    const error = await refusal(files(store).collect({ grace: 0 }));
    expect(error).toMatchObject({ code: "KV_CORRUPT" });
    expect(error.message).toContain('"damaged"');
    expect(filesIn(directory)).toHaveLength(3);
  });

  it("happens by itself when a sweep finds that it is due, once for all processes", async () => {
    const directory = await scratchDirectory();
    const options = { collectInterval: "1h", grace: 0.001 } as const;
    const [store, other] = [storeIn(directory, options), storeIn(directory, options)];
    await store.set("k", large(1));
    await store.set("kept", large(2));
    await store.delete("k");
    await store.sweep();
    expect(filesIn(directory)).toHaveLength(2);
    const then = Date.now() / 1000 - 2 * 3600;
    utimesSync(join(directory, "files/.kv/collected"), then, then);
    const swept = async (): Promise<string[]> => {
      await store.sweep();
      return filesIn(directory);
    };
    await expect.poll(swept, PATIENT).toHaveLength(1);
    const quarantine = () => readdirSync(join(directory, "files/.kv/trash"));
    expect(quarantine()).toHaveLength(1);
    await other.sweep();
    expect(quarantine(), "just collected").toHaveLength(1);
  });

  it("by itself keeps files for a day where the index names none: it may be the wrong one", async () => {
    const directory = await scratchDirectory();
    const options = { collectInterval: "1ms", grace: 0.001 } as const;
    await using store = storeIn(directory, options);
    for (let i = 0; i < 3; i++) await store.set(`k${i}`, large(i));
    const empty = storeIn(directory, { ...options, index: sqlite({ path: join(directory, "empty.db") }) });
    const collected = () => statSync(join(directory, "files/.kv/collected")).mtimeMs;
    const sweeps = async (): Promise<number> => {
      await empty.sweep();
      return collected();
    };
    for (let i = 0; i < 5; i++) await expect.poll(sweeps, PATIENT).toBeGreaterThan(collected());
    await empty.close();
    expect(filesIn(directory)).toHaveLength(3);
    age(directory, 25 * 60);
    const other = storeIn(directory, { ...options, index: sqlite({ path: join(directory, "empty.db") }) });
    const swept = async (): Promise<string[]> => {
      await other.sweep();
      return filesIn(directory);
    };
    await expect.poll(swept, PATIENT).toEqual([]);
    // In quarantine, where they are found by the index that names them.
    expect(await store.get("k0")).toEqual(large(0));
  });

  it("goes by the clock that dates the files, however wrong this machine's is", async () => {
    const directory = await scratchDirectory();
    const store = storeIn(directory);
    await store.set("k", large(1));
    await store.delete("k");
    const now = Date.now;
    onTestFinished(() => {
      Date.now = now;
    });
    Date.now = () => now() + 3_600_000;
    expect(await files(store).collect({ grace: "10m" })).toMatchObject({ quarantined: 0 });
    Date.now = () => now() - 3_600_000;
    age(directory, 11);
    expect(await files(store).collect({ grace: "10m" })).toMatchObject({ quarantined: 1 });
    expect(await files(store).collect({ grace: "10m" })).toMatchObject({ removed: 0 });
  });
});
