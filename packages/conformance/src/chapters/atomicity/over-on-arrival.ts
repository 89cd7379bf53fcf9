import assert from "node:assert/strict";
import { type Codec, type CreateStoreOptions, structured } from "@kv/core";
import { atomically } from "../../suite/abilities.ts";
import type { Case } from "../../suite/chapter.ts";

const tagged: Codec = {
  name: "tagged",
  encode: (value) => `#${JSON.stringify(value)}`,
  decode: (payload) => JSON.parse(String(payload).slice(1)),
};

/** The backend adds to numbers under `json`, the front to those under other codecs. */
const COUNTING: readonly (readonly [name: string, options: CreateStoreOptions])[] = [
  ["json", {}],
  ["structured", { codec: structured }],
  ["a caller's own codec", { codec: tagged }],
];

/** What later mutations of a commit find after a set whose deadline has already passed. */
export const overOnArrival: readonly Case[] = [
  ...COUNTING.map(
    ([name, options]): Case => ({
      title: `an increment after a set that is over on arrival counts from nothing, under ${name}`,
      requires: atomically,
      async run({ open }) {
        const { store } = open(options);
        const over = { expiresAt: 1 };
        const initial = {
          expiresAt: Date.now() + 3_600_000_000,
          policy: "evict",
          metadata: { by: "ada" },
        } as const;
        await store.set("live", 7, { metadata: { by: "eve" } });
        const result = await store
          .atomic()
          .set("absent", 5, over)
          .increment("absent", 2, initial)
          .set("live", 5, over)
          .increment("live", 3, initial)
          .set("again", 5, over)
          .set("again", 6)
          .increment("again")
          .set("gone", 5)
          .delete("gone")
          .increment("gone", 4)
          .increment("late", 5)
          .set("late", 8, over)
          .commit();
        assert.ok(result.ok);
        assert.deepEqual(await store.getMany(["absent", "live", "again", "gone", "late"]), [
          2,
          3,
          7,
          4,
          undefined,
        ]);
        for (const key of ["absent", "live"]) {
          const metadata = await store.getMetadata(key);
          assert.equal(metadata?.policy, "evict");
          assert.deepEqual(metadata?.user, { by: "ada" });
          assert.equal(metadata?.expiresAt?.getTime(), initial.expiresAt);
          assert.equal(metadata?.revision, result.revisions.get(key));
        }
        assert.equal((await store.getMetadata("again"))?.expiresAt, undefined);
      },
    }),
  ),
  {
    title: "a set that is not over keeps its deadline through an increment after it",
    requires: atomically,
    async run({ open }) {
      const expiresAt = Date.now() + 3_600_000_000;
      for (const [name, options] of COUNTING) {
        const { store } = open(options);
        await store.atomic().set("k", 5, { expiresAt }).increment("k").commit();
        assert.equal(await store.get("k"), 6, name);
        assert.equal((await store.getMetadata("k"))?.expiresAt?.getTime(), expiresAt, name);
        await store.atomic().set("k", 1, { keepTtl: true }).increment("k").commit();
        assert.equal((await store.getMetadata("k"))?.expiresAt?.getTime(), expiresAt, name);
        await store.delete("k");
      }
    },
  },
  {
    title: "a transaction sees what its sets leave: nothing where they are over on arrival",
    async run({ open }) {
      for (const [name, options] of COUNTING) {
        const { store } = open(options);
        await store.set("k", 7);
        const seen = await store.transaction(async (tx) => {
          tx.set("k", 5, { expiresAt: 1 });
          return [await tx.get("k"), await tx.has("k"), await tx.increment("k", 2), await tx.get("k")];
        });
        assert.deepEqual(seen, [undefined, false, 2, 2], name);
        assert.equal(await store.get("k"), 2, name);
        await store.delete("k");
      }
    },
  },
];
