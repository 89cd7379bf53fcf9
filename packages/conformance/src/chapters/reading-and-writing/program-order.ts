import assert from "node:assert/strict";
import { forward } from "@kv/core";
import { recorder } from "../../assertions/between-store-and-adapter.ts";
import { contents } from "../../assertions/contents.ts";
import type { Case } from "../../suite/chapter.ts";

/** Pauses that let a waiting microtask, tick or turn of the event loop go on, but are shorter than a write. */
const INTERRUPTIONS: Readonly<Record<string, () => Promise<void>>> = {
  microtask: () => Promise.resolve(),
  tick: () => new Promise((resolve) => process.nextTick(resolve)),
  turn: () => new Promise((resolve) => setImmediate(resolve)),
};

export const programOrder: readonly Case[] = [
  {
    title: "set and then get in the same tick reads the new value",
    async run({ store }) {
      const first = store.set("k", 1);
      const read = store.get("k");
      const second = store.set("k", 2);
      const again = store.get("k");
      await Promise.all([first, second]);
      assert.equal(await read, 1);
      assert.equal(await again, 2);
    },
  },
  {
    title: "get and then set in the same tick reads the old value",
    async run({ store }) {
      await store.set("k", "old");
      const read = store.get("k");
      const written = store.set("k", "new");
      assert.equal(await read, "old");
      await written;
      assert.equal(await store.get("k"), "new");
    },
  },
  {
    title: "writes of one key that nobody awaits take effect in the order of the calls",
    async run({ store }) {
      const all: Promise<unknown>[] = [];
      for (let round = 0; round < 50; round++) all.push(store.set("k", round));
      assert.equal(await store.get("k"), 49);
      all.push(store.delete("k"), store.set("k", "last"));
      assert.equal(await store.get("k"), "last");
      all.push(store.set("k", 1), store.delete("k"));
      assert.equal(await store.get("k"), undefined);
      await Promise.all(all);
    },
  },
  {
    title: "every kind of operation keeps its place among the others on the key",
    async run({ store }) {
      const answers = await Promise.all([
        store.get("k"),
        store.create("k", 1).then((revision) => revision !== undefined),
        store.create("k", 9).then((revision) => revision !== undefined),
        store.increment("k", 4),
        store.get("k"),
        store.has("k"),
        store
          .setMany([
            ["k", 10],
            ["l", 1],
          ])
          .then((revisions) => revisions.length),
        store.getMany(["l", "k"]),
        store.take("k"),
        store.getEntry("k"),
        store.delete("k"),
        store.update("k", (value) => [value ?? "none"]),
        store.get("k"),
        store
          .atomic()
          .set("k", 7)
          .increment("k")
          .commit()
          .then(({ ok }) => ok),
        store.get("k"),
        store.deleteMany(["k", "x"]),
        store.has("k"),
        store.setCache("k", "c").then(() => "cached"),
        store.updatePolicy("k", "persist"),
        store.updateTtl("k", 3600),
        store.getMetadata("k").then((metadata) => [metadata?.policy, metadata?.expiresAt !== undefined]),
        store.clear(),
        store.get("k"),
        store.set("k", "end").then(() => "set"),
        store.get("k", "absent"),
      ]);
      assert.deepEqual(answers, [
        undefined,
        true,
        false,
        5,
        5,
        true,
        2,
        [1, 10],
        10,
        undefined,
        false,
        ["none"],
        ["none"],
        true,
        8,
        1,
        false,
        "cached",
        true,
        true,
        ["persist", true],
        2,
        undefined,
        "set",
        "end",
      ]);
    },
  },
  ...Object.entries(INTERRUPTIONS).map(
    ([what, interruption]): Case => ({
      title: `program order holds across a ${what} between the calls`,
      async run({ store }) {
        const answers: Promise<unknown>[] = [];
        for (let round = 0; round < 20; round++) {
          answers.push(store.set("k", round));
          await interruption();
          answers.push(store.get("k"));
          await interruption();
          answers.push(store.increment("k", 100), store.get("k"), store.delete("k"));
          await interruption();
          answers.push(store.get("k"));
        }
        const all = await Promise.all(answers);
        for (let round = 0; round < 20; round++) {
          const [, ...rest] = all.slice(round * 6, round * 6 + 6);
          assert.deepEqual(rest, [round, round + 100, round + 100, true, undefined], `round ${round}`);
        }
      },
    }),
  ),
  {
    title: "program order holds among the views of one store",
    async run({ store }) {
      const scoped = store.scope("s");
      const answers = [
        scoped.set("k", 1),
        store.get("s:k"),
        store.set("s:k", 2),
        scoped.get("k"),
        store.delete("s:k"),
        scoped.get("k", "absent"),
        store.typed<number>().set("s:k", 3),
        scoped.readonly().get("k"),
      ];
      assert.deepEqual(
        (await Promise.all(answers)).filter((answer) => typeof answer !== "string" || answer === "absent"),
        [1, 2, true, "absent", 3],
      );
    },
  },
  {
    title: "a batch keeps its place among the calls before and after it on each of its keys",
    async run({ store }) {
      const keys = Array.from({ length: 40 }, (_, position) => `k${position}`);
      const writes: Promise<unknown>[] = [];
      for (const key of keys) writes.push(store.set(key, "first"));
      writes.push(store.setMany(keys.map((key) => [key, "second"])));
      const between = store.getMany(keys);
      writes.push(store.deleteMany(keys.slice(0, 20)));
      for (const key of keys.slice(10, 30)) writes.push(store.create(key, "third"));
      const after = await store.getMany(keys);
      assert.deepEqual(
        await between,
        keys.map(() => "second"),
      );
      assert.deepEqual(
        after,
        keys.map((_, position) => (position < 10 ? undefined : position < 20 ? "third" : "second")),
      );
      await Promise.all(writes);
    },
  },
  {
    title: "a scan and a count see the writes that were called before them",
    async run({ store }) {
      const writes: Promise<unknown>[] = [
        store.set("a", 1),
        store.set("b", 2),
        store.set("c", 3),
        store.delete("b"),
      ];
      const answers = await Promise.all([
        contents(store),
        store.count(),
        store.range("a"),
        store.page({ prefix: "c" }),
      ]);
      assert.deepEqual(answers[0], [
        ["a", 1],
        ["c", 3],
      ]);
      assert.equal(answers[1], 2);
      assert.deepEqual(answers[2], [["a", 1]]);
      assert.deepEqual(
        answers[3].entries.map(({ value }) => value),
        [3],
      );
      await Promise.all(writes);
    },
  },
  {
    title: "clear removes what was set before it and nothing that is set after it",
    async run({ store }) {
      const writes: Promise<unknown>[] = [store.set("a", 1), store.set("b", 1)];
      const cleared = store.clear();
      writes.push(store.set("b", 2), store.set("c", 2));
      assert.equal(await cleared, 2);
      await Promise.all(writes);
      assert.deepEqual(await contents(store), [
        ["b", 2],
        ["c", 2],
      ]);
    },
  },
  {
    title: "clear({ namespaces: true }) keeps its place among the calls in the namespaces below",
    async run({ store }) {
      const above = store.namespace("above");
      const below = above.namespace("below");
      const writes = [below.set("old", 1), above.set("old", 1)];
      const cleared = above.clear({ namespaces: true });
      const first = above.namespace("never seen before");
      writes.push(below.set("new", 2), first.set("new", 2));
      const reads = [below.get("old"), below.get("new"), first.get("new"), above.get("old")];
      assert.equal(await cleared, 2);
      await Promise.all(writes);
      assert.deepEqual(await Promise.all(reads), [undefined, 2, 2, undefined]);
      assert.deepEqual(await above.listNamespaces(), [["below"], ["never seen before"]]);
    },
  },
  {
    title: "where a backend gains by it, what is called in one tick reaches it as one read and one commit",
    async run({ open }) {
      const { calls, between } = recorder();
      const { store } = open({}, (inner) => forward(between(inner), { batch: { read: true, commit: true } }));
      const keys = Array.from({ length: 100 }, (_, position) => `k${position}`);
      await store.has("opened");
      calls.length = 0;
      await Promise.all(keys.map((key, position) => store.set(key, position)));
      assert.deepEqual(calls, ["commit"]);
      calls.length = 0;
      assert.deepEqual(await Promise.all(keys.map((key) => store.get(key))), [...keys.keys()]);
      assert.deepEqual(calls, ["read"]);
      calls.length = 0;
      await store.setMany(keys.map((key) => [key, 1]));
      await store.getMany(keys);
      await store.deleteMany(keys);
      assert.deepEqual(calls, ["commit", "read", "commit"]);
    },
  },
  {
    title: "a refused operation does not disturb the order of those around it",
    async run({ store, refused }) {
      const first = store.set("k", "1");
      const failed = refused("KV_INVALID_VALUE", () => store.increment("k"), { key: "k" });
      const second = store.set("k", 2);
      const read = store.increment("k");
      await Promise.all([first, failed, second]);
      assert.equal(await read, 3);
    },
  },
];
