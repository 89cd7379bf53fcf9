import { type Adapter, createStore, type Store } from "@kv/core";
import { memory } from "@kv/memory";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { persistentAdapter } from "../../workers/faults/persistent-adapter.ts";
import { scratchDirectory } from "../processes/child.ts";

const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;
const START = 1_790_000_000_000;

type Open = (directory: string, clock: () => number) => Adapter | Promise<Adapter>;
const ADAPTERS: readonly (readonly [name: string, open: Open])[] = [
  ["memory", (_, clock) => memory({ clock })],
  ["sqlite", (directory, clock) => persistentAdapter("sqlite", directory, { clock })],
  ["leveldb", (directory, clock) => persistentAdapter("leveldb", directory, { clock })],
];

for (const [name, open] of ADAPTERS) {
  describe(`${name} under a clock that jumps`, () => {
    let now = START;
    let store: Store;
    const revisions: string[] = [];
    /** A write's revision, to be compared with all others. */
    const wrote = async (write: Promise<string | undefined>): Promise<void> =>
      void revisions.push((await write) ?? expect.fail("the write lost a race"));

    beforeEach(async (context) => {
      now = START;
      revisions.length = 0;
      const directory = scratchDirectory(context.onTestFinished);
      store = createStore(await open(directory, () => now), { sweepInterval: null });
    });
    afterEach(() => store.close());

    it("backwards: nothing is lost, deadlines are absolute, metadata is what the clock said", async () => {
      await wrote(store.set("plain", 1));
      await wrote(store.set("expiring", 1, { ttl: "1h" }));
      now -= YEAR;
      expect(await store.getMany(["plain", "expiring"])).toEqual([1, 1]);
      expect(await store.count()).toBe(2);
      expect(await store.sweep()).toBe(0);
      await wrote(store.set("plain", 2));
      expect((await store.getMetadata("plain"))?.createdAt).toEqual(new Date(START));
      expect((await store.getMetadata("plain"))?.updatedAt).toEqual(new Date(START - YEAR));
      await wrote(store.set("expiring", 2, { ttl: "1h" }));
      now += 2 * HOUR;
      expect(await store.get("expiring"), "the new deadline has come").toBeUndefined();
      now = START;
      expect(await store.get("plain")).toBe(2);
      expect(await store.get("expiring")).toBeUndefined();
      console.log(`${name}, a year back: every entry is read, a sweep takes none, a new deadline counts`);
    });

    it("forwards and back: an entry is absent from its deadline on, and whatever is written then is new", async () => {
      await wrote(store.set("a", 1, { ttl: "1h" }));
      await wrote(store.set("counter", 41, { ttl: "1h" }));
      await wrote(store.set("late", 1, { ttl: "1h" }));
      now += 2 * HOUR;
      await wrote(store.create("a", 2));
      expect(await store.increment("counter"), "an absent counter").toBe(1);
      now = START;
      expect(await store.get("a")).toBe(2);
      expect((await store.getEntry("a"))?.metadata.expiresAt, "nothing of the old deadline").toBeUndefined();
      expect(await store.create("a", 3), "the entry exists").toBeUndefined();
      expect(await store.increment("counter")).toBe(2);
      expect((await store.getMetadata("counter"))?.createdAt).toEqual(new Date(START + 2 * HOUR));
      // Expired under a clock that was wrong, and not looked at meanwhile: it was never removed, so it is there.
      expect([1, undefined]).toContain(await store.get("late"));
      expect(await store.sweep()).toBe(0);
      expect(await store.count()).toBe((await store.has("late")) ? 3 : 2);
      console.log(
        `${name}, two hours ahead and back: create and increment began anew, and their entries stayed`,
      );
    });

    it("sweeps take what has expired by the clock of now, and never what was rewritten meanwhile", async () => {
      const keys = Array.from({ length: 1_000 }, (_, i) => `k${i}`);
      await store.setMany(
        keys.map((key) => [key, "old"]),
        { ttl: "1h" },
      );
      now += 2 * HOUR;
      const sweeping = store.sweep();
      // Even ones get a later deadline, every sixth none; while the sweep runs, and by a clock that jumps.
      const even = keys.filter((_, i) => i % 2 === 0);
      const rewriting = even.map((key, i) =>
        store.set(key, "new", i % 3 === 0 ? {} : { expiresAt: START + 3 * HOUR }),
      );
      now -= 90 * 60_000;
      await Promise.all([sweeping, ...rewriting]);
      const values = await store.getMany(even);
      expect(values.filter((value) => value !== "new")).toEqual([]);
      now += 90 * 60_000;
      await store.sweep();
      expect(await store.count()).toBe(even.length);
      expect(await store.get("k1")).toBeUndefined();
      now = START + 4 * HOUR;
      await store.sweep();
      now = START;
      // By the old clock nothing has expired: what is counted is what was not reclaimed.
      expect(await store.count(), "entries without a deadline").toBe(Math.ceil(even.length / 3));
      console.log(
        `${name}, sweeping while the clock jumps: 500 of 500 rewritten entries stayed, 500 expired went`,
      );
    });

    it("revisions stay unique, and checks hold only for what they were made from", async () => {
      for (let i = 0; i < 50; i++) {
        now = START + (i % 2 === 0 ? 1 : -1) * (i % 5) * YEAR;
        await wrote(store.set("same", i));
        await store.delete("same");
        await wrote(store.create("same", i));
        await Promise.all([wrote(store.set("other", i)), wrote(store.set("same", i))]);
      }
      expect(new Set(revisions).size).toBe(revisions.length);
      const entry = await store.getEntry("same");
      for (const revision of revisions.slice(0, -1)) {
        if (revision === entry?.metadata.revision) continue;
        expect(await store.replace("same", "stale", { revision })).toBeUndefined();
      }
      expect(await store.get("same")).toBe(49);
      console.log(`${name}, 50 jumps: ${revisions.length} writes, as many revisions, no stale one accepted`);
    });

    it("a deadline given by the jumping clock is kept by increments, keepTtl and updateTtl", async () => {
      await store.increment("n", 1, { ttl: "1h" });
      now -= YEAR;
      expect(await store.increment("n")).toBe(2);
      await store.set("n", 5, { keepTtl: true });
      expect((await store.getMetadata("n"))?.expiresAt).toEqual(new Date(START + HOUR));
      expect(await store.updateTtl("n", "1m")).toBe(true);
      now += 60_000;
      expect(await store.has("n")).toBe(false);
      expect(await store.updateTtl("n", "1h"), "an expired entry is none").toBe(false);
      expect(await store.set("n", 6, { keepTtl: true })).not.toBe("");
      expect((await store.getMetadata("n"))?.expiresAt, "there was no deadline to keep").toBeUndefined();
      now = START + YEAR;
      await store.sweep();
      expect(await store.get("n")).toBe(6);
    });
  });
}
