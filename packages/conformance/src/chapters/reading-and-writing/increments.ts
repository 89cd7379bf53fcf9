import assert from "node:assert/strict";
import { type Codec, structured } from "@kv/core";
import { contents } from "../../assertions/contents.ts";
import type { Case } from "../../suite/chapter.ts";

const tagged: Codec = {
  name: "tagged",
  encode: (value) => `#${JSON.stringify(value)}`,
  decode: (payload) => JSON.parse(String(payload).slice(1)),
};

export const increments: readonly Case[] = [
  {
    title: "increment counts from 0 where the key is absent, by 1 unless told otherwise",
    async run({ store }) {
      assert.equal(await store.increment("a"), 1);
      assert.equal(await store.increment("a"), 2);
      assert.equal(await store.increment("b", 5), 5);
      assert.equal(await store.increment("b", -7), -2);
      assert.equal(await store.increment("c", 0), 0);
      assert.equal(await store.increment("d", undefined), 1);
      assert.deepEqual(await contents(store), [
        ["a", 2],
        ["b", -2],
        ["c", 0],
        ["d", 1],
      ]);
    },
  },
  {
    title: "increment adds fractions, and to a number that was set",
    async run({ store }) {
      await store.set("k", 0.5);
      assert.equal(await store.increment("k", 0.25), 0.75);
      assert.equal(await store.increment("k", -0.75), 0);
      assert.ok(Object.is(await store.get("k"), 0));
      await store.set("k", 1e21);
      assert.equal(await store.increment("k", 0.5), 1e21);
      await store.set("k", 2 ** 53 - 2);
      assert.equal(await store.increment("k"), 2 ** 53 - 1);
    },
  },
  {
    title: "what increment resolves to is what is then read, and the same number type",
    async run({ store }) {
      const numbers = [0.1, 0.2, 1e-7, -3, 1 / 3, 1e15, 123_456_789.125];
      let expected = 0;
      for (const by of numbers) {
        expected += by;
        assert.equal(await store.increment("k", by), expected);
        assert.equal(await store.get("k"), expected);
      }
    },
  },
  {
    title: "incrementing what is no number is KV_INVALID_VALUE and changes nothing",
    async run({ store, refused }) {
      for (const value of ["1", "", "abc", null, true, [1], { n: 1 }, [], "-", "0x10"]) {
        await store.set("k", value);
        const before = await store.getEntry("k");
        await refused("KV_INVALID_VALUE", () => store.increment("k"), { operation: "increment", key: "k" });
        assert.deepEqual(await store.getEntry("k"), before);
      }
    },
  },
  {
    title: "an increment whose sum is no number that can be told from its neighbours is KV_INVALID_VALUE",
    async run({ store, refused }) {
      await store.set("k", 2 ** 53 - 1);
      await refused("KV_INVALID_VALUE", () => store.increment("k"), { operation: "increment", key: "k" });
      assert.equal(await store.get("k"), 2 ** 53 - 1);
      await store.set("k", -(2 ** 53 - 1));
      await refused("KV_INVALID_VALUE", () => store.increment("k", -1), { key: "k" });
      await store.set("k", Number.MAX_VALUE);
      await refused("KV_INVALID_VALUE", () => store.increment("k", Number.MAX_VALUE), { key: "k" });
      assert.equal(await store.get("k"), Number.MAX_VALUE);
    },
  },
  {
    title:
      "an increment by what is no finite number is KV_INVALID_VALUE or KV_INVALID_OPTION, and changes nothing",
    async run({ store }) {
      for (const by of [Number.NaN, Number.POSITIVE_INFINITY, "1", null, 1n, {}]) {
        await assert.rejects(async () => store.increment("k", by as number), {
          name: "KvError",
          code: /^KV_INVALID_(VALUE|OPTION)$/,
        });
      }
      assert.equal(await store.has("k"), false);
    },
  },
  {
    title: "the options of increment are for its first write only",
    async run({ store }) {
      const options = { ttl: 3600, policy: "evict", metadata: { by: "ada" } } as const;
      await store.increment("k", 1, options);
      const first = await store.getMetadata("k");
      assert.equal(first?.policy, "evict");
      assert.deepEqual(first?.user, { by: "ada" });
      assert.ok(first?.expiresAt !== undefined);
      await store.increment("k", 1, { ttl: 9, policy: "persist", metadata: { by: "eve" } });
      const second = await store.getMetadata("k");
      assert.equal(second?.policy, "evict");
      assert.deepEqual(second?.user, { by: "ada" });
      assert.deepEqual(second?.expiresAt, first?.expiresAt);
      assert.deepEqual(second?.createdAt, first?.createdAt);
      await store.set("forever", 1);
      await store.increment("forever", 1, { ttl: 9 });
      assert.equal((await store.getMetadata("forever"))?.expiresAt, undefined);
    },
  },
  ...[structured, tagged].map(
    (codec): Case => ({
      title: `increment counts under another codec (${codec.name}), and what it wrote can be read under the same`,
      async run({ open, refused }) {
        const { store } = open({ codec });
        await store.set("set", 5, { ttl: 3600 });
        assert.equal(await store.increment("set", 2), 7);
        assert.ok((await store.getMetadata("set"))?.expiresAt !== undefined);
        assert.equal(await store.increment("absent", 3), 3);
        assert.equal(await store.increment("absent", 3), 6);
        assert.deepEqual(await contents(store), [
          ["absent", 6],
          ["set", 7],
        ]);
        const sums = await Promise.all(Array.from({ length: 20 }, () => store.increment("many")));
        assert.deepEqual(
          sums.toSorted((a, b) => a - b),
          Array.from({ length: 20 }, (_, position) => position + 1),
        );
        const result = await store.atomic().increment("set").increment("set", 4).commit();
        assert.ok(result.ok);
        assert.equal(await store.get("set"), 12);
        await store.set("text", "1");
        await refused("KV_INVALID_VALUE", () => store.increment("text"), {
          operation: "increment",
          key: "text",
        });
        assert.equal(await store.get("text"), "1");
      },
    }),
  ),
];
