import assert from "node:assert/strict";
import { type Codec, type CreateStoreOptions, KvError, structured } from "@kv/core";
import type { Case } from "../../suite/chapter.ts";
import type { Context } from "../../suite/context.ts";

/** A caller's codec that checks nothing itself. */
const careless: Codec = {
  name: "careless",
  encode: (value) => JSON.stringify(value),
  decode: (payload) => JSON.parse(String(payload)),
};

const CODECS: readonly (readonly [name: string, options: CreateStoreOptions])[] = [
  ["json", {}],
  ["structured", { codec: structured }],
  ["a caller's own codec", { codec: careless }],
];

/** Values with a hidden `toJSON`, which JSON.stringify would call and listing the properties does not show. */
const HIDDEN: readonly (readonly [what: string, make: () => unknown, plain: unknown])[] = [
  ["an object", () => hidden({ a: 1 }), { a: 1 }],
  ["an object inside", () => ({ list: [hidden({ a: 1 })] }), { list: [{ a: 1 }] }],
  ["an array", () => hidden([1, 2]), [1, 2]],
];

function hidden<T extends object>(value: T): T {
  return Object.defineProperty(value, "toJSON", { value: () => "another" });
}

/** An object with a property that every second read returns as a value which no codec accepts. */
function flickering(): Record<string, unknown> {
  let reads = 0;
  return {
    get at() {
      reads++;
      return reads % 2 === 1 ? 1 : () => reads;
    },
  };
}

function nested(levels: number, around: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = around(value);
  return value;
}

const AROUND: readonly ((inner: unknown) => unknown)[] = [(inner) => [inner], (inner) => ({ inner })];

/** Asserts that a write was refused as an invalid value, or that a read returns the value that the check saw. */
async function equalOrRefused(
  store: Context["store"],
  write: () => Promise<unknown>,
  expected: unknown,
): Promise<void> {
  try {
    await write();
  } catch (error) {
    assert.ok(KvError.is(error, "KV_INVALID_VALUE"), String(error));
    assert.equal(await store.has("k"), false);
    return;
  }
  assert.deepEqual(await store.get("k"), expected);
}

export const checkedValues: readonly Case[] = [
  {
    title:
      "a toJSON that is not enumerable stores nothing else: what is checked is what is stored, or it is refused",
    async run({ open }) {
      for (const [, options] of CODECS.slice(0, 2)) {
        const { store } = open(options);
        for (const [what, make, plain] of HIDDEN) {
          await store.delete("k");
          await equalOrRefused(store, () => store.set("k", make()), plain).catch((error: unknown) => {
            throw new Error(`${what}: ${String(error)}`, { cause: error });
          });
        }
      }
    },
  },
  {
    title: "a toJSON that is not enumerable stores no other user metadata",
    async run({ store }) {
      const metadata = hidden({ by: "ada" });
      await store.set("k", 1, { metadata });
      assert.deepEqual((await store.getMetadata("k"))?.user, { by: "ada" });
    },
  },
  {
    title: "a property that is another one each time it is read is read once, or refused",
    async run({ open }) {
      for (const [, options] of CODECS.slice(0, 2)) {
        const { store } = open(options);
        await store.delete("k");
        await equalOrRefused(store, () => store.set("k", flickering()), { at: 1 });
        await store.delete("k");
        await equalOrRefused(store, () => store.set("k", [flickering()]), [{ at: 1 }]);
      }
    },
  },
  {
    title: "a property that throws when it is read is KV_INVALID_VALUE with its path, and nothing is written",
    async run({ open, refused }) {
      const failure = new Error("not today");
      const value = {
        user: {
          get born() {
            throw failure;
          },
        },
      };
      for (const [, options] of CODECS.slice(0, 2)) {
        const { store } = open(options);
        await refused("KV_INVALID_VALUE", () => store.set("k", value), { key: "k", says: "$.user.born" });
        await refused("KV_INVALID_VALUE", () => store.set("k", 1, { metadata: value }), {
          key: "k",
          says: "$.user.born",
        });
        assert.equal(await store.has("k"), false);
      }
    },
  },
  {
    title: "a value that cannot be looked at, such as a revoked proxy, is KV_INVALID_VALUE",
    async run({ open, refused }) {
      for (const [, options] of CODECS.slice(0, 2)) {
        const { store } = open(options);
        for (const shape of [{}, []]) {
          const { proxy, revoke } = Proxy.revocable(shape, {});
          revoke();
          await refused("KV_INVALID_VALUE", () => store.set("k", proxy), { key: "k" });
          await refused("KV_INVALID_VALUE", () => store.set("k", { inside: [proxy] }), { key: "k" });
        }
        assert.equal(await store.has("k"), false);
      }
    },
  },
  {
    title: "bytes whose buffer was transferred are KV_INVALID_VALUE",
    async run({ open, refused }) {
      for (const [, options] of CODECS) {
        const { store } = open(options);
        const bytes = new Uint8Array([1, 2, 3]);
        structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
        await refused("KV_INVALID_VALUE", () => store.set("k", bytes), { key: "k" });
        assert.equal(await store.has("k"), false);
      }
    },
  },
  ...CODECS.map(
    ([name, options]): Case => ({
      title: `values nest 500 levels under ${name} and no more, and what was written can be read`,
      async run({ open, refused }) {
        const { store } = open(options);
        for (const around of AROUND) {
          const deepest = nested(500, around);
          await store.set("k", deepest);
          assert.deepEqual(await store.get("k"), deepest);
          for (const levels of [501, 6000]) {
            await refused("KV_INVALID_VALUE", () => store.set("k", nested(levels, around)), {
              key: "k",
              says: /nested deeper than 500 levels/,
            });
          }
          assert.deepEqual(await store.get("k"), deepest);
        }
      },
    }),
  ),
  {
    title:
      "Maps and Sets count as levels, and a chain of objects that are also listed is as deep as it is long",
    async run({ open, refused }) {
      const { store } = open({ codec: structured });
      for (const around of [
        (inner: unknown) => new Map([["inner", inner]]),
        (inner: unknown) => new Set([inner]),
      ]) {
        const deepest = nested(500, around);
        await store.set("k", deepest);
        assert.deepEqual(await store.get("k"), deepest);
        await refused("KV_INVALID_VALUE", () => store.set("k", nested(501, around)), { key: "k" });
      }
      const links: { next?: object }[] = Array.from({ length: 5900 }, () => ({}));
      for (const [place, link] of links.entries()) {
        const next = links[place + 1];
        if (next !== undefined) link.next = next;
      }
      await refused("KV_INVALID_VALUE", () => store.set("k", links), { key: "k" });
    },
  },
  {
    title: "user metadata nests 500 levels and no more",
    async run({ store, refused }) {
      const metadata = { list: nested(499, (inner) => [inner]) };
      await store.set("k", 1, { metadata });
      assert.deepEqual((await store.getMetadata("k"))?.user, metadata);
      await refused(
        "KV_INVALID_VALUE",
        () => store.set("k", 2, { metadata: { list: nested(500, (inner) => [inner]) } }),
        { key: "k", says: /nested deeper than 500 levels/ },
      );
      assert.equal(await store.get("k"), 1);
    },
  },
  {
    title: "the message of a value nested too deep is short",
    async run({ store }) {
      const names = (inner: unknown) => ({ "a name of some length": inner });
      const error = await store.set("k", nested(600, names)).catch((refusal: unknown) => refusal);
      assert.ok(KvError.is(error, "KV_INVALID_VALUE"), String(error));
      assert.ok(error.message.length < 500, `a message of ${error.message.length} characters`);
    },
  },
];
