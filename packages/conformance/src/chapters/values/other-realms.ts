import assert from "node:assert/strict";
import { createContext, runInContext } from "node:vm";
import { type SetTuple, structured } from "@kv/core";
import { contents } from "../../assertions/contents.ts";
import type { Case } from "../../suite/chapter.ts";

const realm: object = createContext({});

/** Evaluates the expression in a separate realm, which has its own built-in classes. */
function foreign(expression: string): unknown {
  return runInContext(`(${expression})`, realm);
}

const PLAIN = ["{ a: 1, list: [1, { b: null }] }", "[]", "[[1], { a: {} }]", "{}"];

const STRUCTURED = [
  ...PLAIN,
  "new Date(5)",
  "new Map([['a', new Date(1)], [{ k: 1 }, new Set([1])]])",
  "new Set([1, [2]])",
  "/a+/gi",
  "{ at: [new Date(0), undefined, 10n] }",
  "new Float64Array([1.5, -0])",
  "new ArrayBuffer(3)",
  "Object(1)",
  "Object.assign(Object.create(null), { a: 1 })",
];

/** Instances of a class, refused in any realm. */
const REFUSED = [
  "new (class Point {})()",
  "new (class Row extends Array {})()",
  "Object.create({ a: 1 })",
  "Object.create(Object.create(null))",
  "[1, , 3]",
  "{ a: () => 1 }",
];

export const otherRealms: readonly Case[] = [
  {
    title: "plain values of another realm are plain values, and come back as values of this one",
    async run({ store }) {
      for (const expression of PLAIN) {
        await store.set("k", foreign(expression));
        // Strictly: the prototypes must be those of this realm.
        assert.deepStrictEqual(await store.get("k"), new Function(`return (${expression})`)());
      }
      await store.set("k", 1, { metadata: foreign("{ by: ['ada'] }") as Record<string, unknown> });
      assert.deepStrictEqual((await store.getMetadata("k"))?.user, { by: ["ada"] });
    },
  },
  {
    title: "bytes of another realm are stored as bytes",
    async run({ open }) {
      for (const options of [{}, { codec: structured }]) {
        const { store } = open(options);
        await store.set("k", foreign("new Uint8Array([1, 2, 255])"));
        assert.deepStrictEqual(await store.get("k"), new Uint8Array([1, 2, 255]));
      }
    },
  },
  {
    title: "the structured codec takes what it takes of another realm, too",
    async run({ open }) {
      const { store } = open({ codec: structured });
      for (const expression of STRUCTURED) {
        await store.set("k", foreign(expression));
        assert.deepStrictEqual(await store.get("k"), new Function(`return (${expression})`)(), expression);
      }
    },
  },
  {
    title: "what is no plain value is none in another realm either",
    async run({ store, refused }) {
      for (const expression of REFUSED) {
        await refused("KV_INVALID_VALUE", () => store.set("k", foreign(expression)), { key: "k" });
      }
      assert.deepEqual(await contents(store), []);
    },
  },
  {
    title: "a Date, options and entries of another realm are what they are here",
    async run({ store }) {
      const later = Date.now() + 3_600_000;
      const expiresAt = foreign(`new Date(${later})`) as Date;
      await store.set("k", 1, { expiresAt });
      assert.deepEqual((await store.getMetadata("k"))?.expiresAt, new Date(later));
      await store.set(
        "k",
        2,
        foreign("{ ttl: { hours: 1 }, metadata: { a: 1 } }") as { ttl: { hours: number } },
      );
      assert.ok((await store.getMetadata("k"))?.expiresAt !== undefined);
      const tuples = foreign("new Map([['a', 1], ['b', [2]]])") as Map<string, unknown>;
      await store.setMany(tuples);
      await store.setMany(foreign("[['c', 3, { policy: 'evict' }]]") as SetTuple<unknown>[]);
      assert.deepStrictEqual(await store.getMany(foreign("['a', 'b', 'c']") as string[]), [1, [2], 3]);
      assert.equal(await store.deleteMany(foreign("new Set(['a', 'b'])") as Set<string>), 2);
    },
  },
  {
    title:
      "an AbortSignal of another implementation aborts, and what only looks like one a little is refused",
    async run({ store, refused }) {
      const { signal, abort } = polyfilled();
      assert.equal(await store.set("k", 1, { signal }).then(() => "written"), "written");
      abort();
      await refused("KV_ABORTED", () => store.set("k", 2, { signal }), { key: "k" });
      await refused("KV_ABORTED", () => store.get("k", undefined, { signal }), { key: "k" });
      assert.equal(await store.get("k"), 1);
      for (const odd of [{}, { aborted: false }, "signal", new EventTarget()]) {
        await refused("KV_INVALID_OPTION", () => store.set("k", 3, { signal: odd as AbortSignal }));
      }
    },
  },
];

/** A signal as a polyfill or another window makes it: not an instance of this realm's class. */
function polyfilled(): { readonly signal: AbortSignal; abort(): void } {
  const events = new EventTarget();
  const state = { aborted: false };
  const signal = {
    get aborted() {
      return state.aborted;
    },
    get reason() {
      return new Error("enough");
    },
    addEventListener: events.addEventListener.bind(events),
    removeEventListener: events.removeEventListener.bind(events),
    [Symbol.toStringTag]: "AbortSignal",
  };
  return {
    signal: signal as unknown as AbortSignal,
    abort() {
      state.aborted = true;
      events.dispatchEvent(new Event("abort"));
    },
  };
}
