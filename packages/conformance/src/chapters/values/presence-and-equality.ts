import assert from "node:assert/strict";
import { collect, contents } from "../../assertions/contents.ts";
import { eventually } from "../../assertions/watched.ts";
import { nested, samplesIn } from "../../samples/json-samples.ts";
import { inJson, watching } from "../../suite/abilities.ts";
import type { Case } from "../../suite/chapter.ts";

const FALSY = [null, false, 0, ""];

interface User {
  name: string;
  tags: string[];
}

/** A user that the caller goes on to change. */
function user(): User {
  return { name: "ada", tags: ["x"] };
}

function spoil(value: unknown): void {
  const spoilt = value as User;
  spoilt.name = "eve";
  spoilt.tags.push("y");
}

const presence: readonly Case[] = [
  {
    title: "an absent key reads as undefined",
    async run({ store }) {
      assert.equal(await store.get("k"), undefined);
      assert.equal(await store.getEntry("k"), undefined);
      assert.equal(await store.getMetadata("k"), undefined);
      assert.deepEqual(await store.getMany(["k", "l"]), [undefined, undefined]);
      assert.equal(await store.has("k"), false);
    },
  },
  {
    title: "null, false, 0 and the empty string are values and no absence",
    async run({ store }) {
      for (const value of FALSY) {
        await store.set("k", value);
        assert.equal(await store.get("k"), value);
        assert.equal(await store.get("k", "fallback"), value);
        assert.equal(await store.getOrThrow("k"), value);
        assert.equal(await store.has("k"), true);
        assert.deepEqual(await store.getMany(["k", "absent"]), [value, undefined]);
        assert.equal((await store.getEntry("k"))?.value, value);
        assert.deepEqual(await contents(store), [["k", value]]);
        assert.equal(await store.create("k", 1), undefined);
        assert.equal(await store.take("k"), value);
        assert.equal(await store.has("k"), false);
      }
    },
  },
  {
    title:
      "update is given undefined for an absent key, and null, false, 0 and the empty string for a present one",
    async run({ store }) {
      for (const value of [undefined, ...FALSY]) {
        if (value !== undefined) await store.set("k", value);
        const seen: unknown[] = [];
        await store.update("k", (current) => {
          seen.push(current);
          return 1;
        });
        assert.deepEqual(seen, [value]);
      }
    },
  },
];

const equality: readonly Case[] = [
  {
    title: "what is read is deeply equal to what was written",
    async run({ store, abilities }) {
      const samples = samplesIn(abilities.codec);
      for (const [position, sample] of samples.entries()) await store.set(`k${position}`, sample);
      for (const [position, sample] of samples.entries()) {
        assert.deepEqual(await store.get(`k${position}`), sample);
      }
      const all = await store.getMany(samples.map((_, position) => `k${position}`));
      assert.deepEqual(all, samples);
    },
  },
  {
    title: "every way to write and every way to read gives an equal value",
    async run({ store }) {
      const value = { list: [1, "é", null], "a.b": { c: false } };
      await store.setMany([["a", value]]);
      await store.create("b", value);
      const { revision } = (await store.getMetadata("a")) ?? { revision: "" };
      await store.replace("a", value, { revision });
      await store.update("c", () => value);
      await store.atomic().set("d", value).commit();
      await store.transaction((tx) => tx.set("e", value));
      await store.setCache("f", value);
      const expected = ["a", "b", "c", "d", "e", "f"].map((key) => [key, value]);
      assert.deepEqual(await contents(store), expected);
      assert.deepEqual(await store.range("", undefined), expected);
      assert.deepEqual(
        await collect(store.values()),
        expected.map(() => value),
      );
      assert.deepEqual(
        (await store.page()).entries.map((entry) => [entry.key, entry.value]),
        expected,
      );
    },
  },
  {
    title: "a string that looks like another value stays a string, and a number a number",
    async run({ store }) {
      await store.setMany([
        ["s", "123"],
        ["n", 123],
        ["t", "true"],
        ["z", "null"],
      ]);
      assert.deepEqual(await store.getMany(["s", "n", "t", "z"]), ["123", 123, "true", "null"]);
    },
  },
  {
    title: "an own property named __proto__ is kept and pollutes nothing",
    requires: inJson,
    async run({ store }) {
      const value: unknown = JSON.parse('{"__proto__":{"admin":true},"list":[{"__proto__":1}]}');
      await store.set("k", value);
      const read = (await store.get("k")) as object;
      assert.ok(Object.hasOwn(read, "__proto__"));
      assert.equal(Object.getPrototypeOf(read), Object.prototype);
      assert.deepEqual(read, value);
      assert.equal(({} as { admin?: boolean }).admin, undefined);
    },
  },
  {
    title: "a value of a hundred levels and one of a megabyte come back equal",
    async run({ store }) {
      const deep = nested(100);
      const large = { text: "é".repeat(500_000) };
      await store.setMany([
        ["deep", deep],
        ["large", large],
      ]);
      assert.deepEqual(await store.getMany(["deep", "large"]), [deep, large]);
    },
  },
  {
    title: "the same object in two places comes back in both",
    async run({ store }) {
      const shared = { a: [1] };
      await store.set("k", { one: shared, other: shared, list: [shared, shared] });
      assert.deepEqual(await store.get("k"), {
        one: { a: [1] },
        other: { a: [1] },
        list: [{ a: [1] }, { a: [1] }],
      });
    },
  },
];

const independence: readonly Case[] = [
  {
    title: "a value that the caller changes after the call is stored as it was at the call",
    async run({ store }) {
      const values = { set: user(), setMany: user(), create: user(), atomic: user(), transaction: user() };
      const atomic = store.atomic().set("atomic", values.atomic);
      const writes: Promise<unknown>[] = [
        store.set("set", values.set),
        store.setMany([["setMany", values.setMany]]),
        store.create("create", values.create),
        store.transaction((tx) => {
          tx.set("transaction", values.transaction);
          spoil(values.transaction);
        }),
      ];
      spoil(values.atomic);
      writes.push(atomic.commit());
      for (const name of ["set", "setMany", "create"] as const) spoil(values[name]);
      await Promise.all(writes);
      for (const name of Object.keys(values)) assert.deepEqual(await store.get(name), user(), name);
    },
  },
  {
    title: "a value that was read and then changed is not changed in the store",
    async run({ store }) {
      await store.set("k", user());
      spoil(await store.get("k"));
      spoil((await store.getMany(["k"]))[0]);
      spoil((await store.getEntry("k"))?.value);
      for await (const value of store.values()) spoil(value);
      for await (const { value } of store.entries()) spoil(value);
      for (const [, value] of await store.range("")) spoil(value);
      for (const { value } of (await store.page()).entries) spoil(value);
      assert.deepEqual(await store.get("k"), user());
    },
  },
  {
    title: "two reads of one key give two values, in one batch, too",
    async run({ store }) {
      await store.set("k", user());
      const [one, other] = await store.getMany(["k", "k"]);
      spoil(one);
      assert.deepEqual(other, user());
      const [first, second] = await Promise.all([store.get("k"), store.get("k")]);
      spoil(first);
      assert.deepEqual(second, user());
    },
  },
  {
    title: "what update is given and gives back is the caller's own",
    async run({ store }) {
      await store.set("k", user());
      const kept: unknown[] = [];
      await store.update("k", (value) => {
        kept.push(value);
        return { ...(value as User), name: "bob" };
      });
      kept.push(await store.update("k", (value) => value));
      for (const value of kept) spoil(value);
      assert.deepEqual(await store.get("k"), { ...user(), name: "bob" });
    },
  },
  {
    title: "user metadata is copied on its way in and out",
    async run({ store }) {
      const metadata = user();
      const written = store.set("k", 1, { metadata: metadata as never });
      spoil(metadata);
      await written;
      spoil((await store.getMetadata("k"))?.user);
      assert.deepEqual((await store.getMetadata("k"))?.user, user());
    },
  },
  {
    title: "a watched value that one watcher changes is not changed for another, nor in the store",
    requires: watching,
    async run({ store }) {
      const seen: unknown[] = [];
      const subscriptions = await Promise.all(
        [1, 2].map(() =>
          store.subscribe((change) => {
            // structuredClone would return objects of another realm inside a test runner.
            seen.push(JSON.parse(JSON.stringify(change.value)));
            spoil(change.value);
          }),
        ),
      );
      await store.set("k", user());
      await eventually(() => seen, [user(), user()]);
      for (const subscription of subscriptions) subscription.unsubscribe();
      assert.deepEqual(await store.get("k"), user());
    },
  },
];

export const presenceAndEquality: readonly Case[] = [...presence, ...equality, ...independence];
