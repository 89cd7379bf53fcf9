import assert from "node:assert/strict";
import { forward } from "@kv/core";
import { collect, contents, fill } from "../../assertions/contents.ts";
import type { Case } from "../../suite/chapter.ts";

/** More than an adapter's page holds. */
const MANY = 1200;

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, position) => `k${String(position).padStart(5, "0")}`);
}

export const scans: readonly Case[] = [
  {
    title: "keys, values and entries give the same range in key order",
    async run({ store }) {
      await store.setMany([
        ["b", 2],
        ["a", 1],
        ["c", [3]],
      ]);
      assert.deepEqual(await collect(store.keys()), ["a", "b", "c"]);
      assert.deepEqual(await collect(store.values()), [1, 2, [3]]);
      const entries = await collect(store.entries());
      assert.deepEqual(
        entries.map(({ key, value }) => [key, value]),
        [
          ["a", 1],
          ["b", 2],
          ["c", [3]],
        ],
      );
      for (const entry of entries) assert.deepEqual(Object.keys(entry).sort(), ["key", "metadata", "value"]);
      assert.deepEqual(await collect(store.values({ reverse: true })), [[3], 2, 1]);
    },
  },
  {
    title: "a scan of nothing ends at once",
    async run({ store }) {
      assert.deepEqual(await store.keys().next(), { done: true, value: undefined });
      assert.deepEqual(await contents(store), []);
      assert.deepEqual(await store.range(""), []);
      assert.deepEqual(await store.page(), { entries: [] });
      assert.equal(await store.count(), 0);
    },
  },
  {
    title: "a scan longer than any page yields every key exactly once, in both directions",
    async run({ store }) {
      const keys = numbered(MANY);
      await fill(store, keys);
      assert.deepEqual(await collect(store.keys()), keys);
      assert.deepEqual(await collect(store.keys({ reverse: true })), keys.toReversed());
      assert.equal(await store.count(), MANY);
      assert.deepEqual((await collect(store.keys({ gte: "k00100", lt: "k01100" }))).length, 1000);
      assert.deepEqual((await store.range("k", undefined, { limit: 700 })).length, 700);
    },
  },
  {
    title: "range includes its start, excludes its end, and without an end takes what begins with its start",
    async run({ store }) {
      await fill(store, ["a", "aa", "ab", "b", "ba", "c"]);
      assert.deepEqual(await store.range("aa", "ba"), [
        ["aa", 1],
        ["ab", 2],
        ["b", 3],
      ]);
      assert.deepEqual(await store.range("a"), [
        ["a", 0],
        ["aa", 1],
        ["ab", 2],
      ]);
      assert.deepEqual(await store.range("a", undefined), [
        ["a", 0],
        ["aa", 1],
        ["ab", 2],
      ]);
      assert.deepEqual(await store.range("", "aa"), [["a", 0]]);
      assert.deepEqual(await store.range("b", "b"), []);
      assert.deepEqual(await store.range("c", "a"), []);
      assert.deepEqual(await store.range("a", "c", { reverse: true, limit: 2 }), [
        ["ba", 4],
        ["b", 3],
      ]);
    },
  },
  {
    title: "range refuses a start or end that is no well-formed string",
    async run({ store, refused }) {
      for (const bad of [undefined, null, 1, "\ud800"]) {
        await refused("KV_INVALID_OPTION", () => store.range(bad as never), { operation: "range" });
      }
      for (const bad of [null, 1, "\ud800"]) {
        await refused("KV_INVALID_OPTION", () => store.range("a", bad as never), { operation: "range" });
      }
    },
  },
  {
    title: "a refused scan rejects at its first next, and nothing is thrown before that",
    async run({ store, refused }) {
      for (const scan of [
        store.keys({ limit: -1 }),
        store.values({ limit: -1 }),
        store.entries({ limit: -1 }),
      ]) {
        assert.equal(scan[Symbol.asyncIterator](), scan);
        await refused("KV_INVALID_OPTION", () => scan.next(), { says: "limit" });
        assert.equal((await scan.next()).done, true);
      }
    },
  },
  {
    title: "a scan that was ended stays ended",
    async run({ store }) {
      await fill(store, ["a", "b"]);
      const finished = store.keys();
      await collect(finished);
      assert.equal((await finished.next()).done, true);
      const left = store.keys();
      await left.next();
      assert.equal((await left.return?.())?.done, true);
      assert.equal((await left.next()).done, true);
    },
  },
  {
    title: "calls of next that nobody awaits are answered in order",
    async run({ store }) {
      const keys = numbered(600);
      await fill(store, keys);
      const scan = store.keys();
      const steps = await Promise.all(Array.from({ length: 605 }, () => scan.next()));
      assert.deepEqual(
        steps.slice(0, 600).map(({ value }) => value),
        keys,
      );
      assert.ok(steps.slice(600).every(({ done }) => done));
    },
  },
  {
    title: "leaving a scan early frees what the backend holds for it",
    async run({ open }) {
      let begun = 0;
      let freed = 0;
      const { store, root } = open({}, (inner) =>
        forward(inner, {
          async *scan(namespace, range) {
            begun += 1;
            try {
              yield* inner.scan(namespace, range);
            } finally {
              freed += 1;
            }
          },
        }),
      );
      await fill(store, numbered(MANY));
      for await (const key of store.keys()) if (key === "k00003") break;
      assert.deepEqual([begun, freed], [1, 1]);
      await assert.rejects(async () => {
        for await (const { value } of store.entries()) if (value === 300) throw new Error("enough");
      }, /enough/);
      assert.deepEqual([begun, freed], [2, 2]);
      await store.set("after", 1);
      assert.equal(await store.get("after"), 1);
      await root.close();
    },
  },
  {
    title: "a scan holds a page and not the range: it reads no further than it is asked to",
    async run({ open }) {
      let handed = 0;
      const { store } = open({}, (inner) =>
        forward(inner, {
          async *scan(namespace, range) {
            for await (const page of inner.scan(namespace, range)) {
              handed += page.length;
              yield page;
            }
          },
        }),
      );
      await fill(store, numbered(5000));
      const scan = store.keys();
      await scan.next();
      assert.ok(handed < 5000, `${handed} entries were read for the first one`);
      await scan.return?.();
      handed = 0;
      await store.page({ limit: 10 });
      assert.ok(handed <= 11, `${handed} entries were read for a page of 10`);
      handed = 0;
      assert.equal((await collect(store.keys({ prefix: "k0000" }))).length, 10);
      assert.ok(handed <= 10, `${handed} entries were read for a prefix of 10`);
    },
  },
  {
    title: "a key that exists throughout a scan is yielded exactly once, while others come and go",
    async run({ store }) {
      const keys = numbered(MANY);
      await fill(store, keys);
      const seen: string[] = [];
      for await (const key of store.keys()) {
        seen.push(key);
        const position = seen.length;
        if (position % 100 === 0) {
          await store.set(`a${position}`, 1);
          await store.set(`k0${position}x`, 1);
          await store.set(`z${position}`, 1);
          await store.set(key, "rewritten");
          await store.delete(`a${position - 100}`);
        }
      }
      assert.deepEqual(
        seen.filter((key) => /^k\d{5}$/.test(key)),
        keys,
      );
      assert.equal(new Set(seen).size, seen.length);
    },
  },
  {
    title: "a scan goes on when the entries it yielded, and those before it, are deleted meanwhile",
    async run({ store }) {
      for (const reverse of [false, true]) {
        const keys = numbered(700);
        await fill(store, keys);
        const seen: string[] = [];
        for await (const key of store.keys({ reverse })) {
          seen.push(key);
          await store.delete(key);
        }
        assert.deepEqual(seen, reverse ? keys.toReversed() : keys);
        assert.equal(await store.count(), 0);
      }
    },
  },
  {
    title: "two scans of one range do not disturb one another",
    async run({ store }) {
      const keys = numbered(600);
      await fill(store, keys);
      const one = store.keys();
      const other = store.keys({ reverse: true });
      const seen: [string[], string[]] = [[], []];
      for (let step = 0; step < keys.length; step++) {
        seen[0].push((await one.next()).value ?? "");
        seen[1].push((await other.next()).value ?? "");
      }
      assert.deepEqual(seen, [keys, keys.toReversed()]);
    },
  },
  {
    title: "a snapshot scan shows the state as of its first next, and nothing later",
    requires: ({ capabilities }) => (capabilities.snapshotScans ? undefined : "its scans are no snapshots"),
    async run({ store }) {
      const keys = numbered(MANY);
      await fill(store, keys);
      const scan = store.entries();
      const seen = [(await scan.next()).value];
      await store.set("k00000a", "new");
      await store.set("z", "new");
      await store.set("k01100", "rewritten");
      await store.delete("k01150");
      for await (const entry of scan) seen.push(entry);
      assert.deepEqual(
        seen.map((entry) => [entry?.key, entry?.value]),
        keys.map((key, position) => [key, position]),
      );
    },
  },
];
