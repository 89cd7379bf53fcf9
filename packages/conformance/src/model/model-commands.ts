import assert from "node:assert/strict";
import type { Selector, Store } from "@kv/core";
import fc from "fast-check";
import { collect } from "../assertions/contents.ts";
import type { Time } from "../suite/time.ts";
import type { Model, ModelOptions } from "./model.ts";

/** The store under test, and the revisions it returned beside the model's. */
export interface Real {
  readonly store: Store;
  readonly time: Time;
  /** The store's revision of every key, with the model's revision at that time. */
  readonly revisions: Map<string, { readonly model: number; readonly real: string }>;
}

type Command = fc.AsyncCommand<Model, Real>;

/** Few keys, so that commands meet. A backend could take some for a pattern, or for one another. */
const KEYS = ["a", "a\0", "*", "__proto__", "\uffff", "\u{10000}"];
/** The smallest difference of deadlines, in seconds: longer than any run in real time. */
const SPAN = 1000;

const anyKey = fc.constantFrom(...KEYS);
const anyValue = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.constantFrom<unknown>(null, "", "1", false),
  fc.jsonValue({ maxDepth: 2 }).filter((value) => !JSON.stringify(value).includes("-0")),
);
const anyOptions: fc.Arbitrary<ModelOptions> = fc.oneof(
  fc.record(
    { ttl: fc.integer({ min: 1, max: 5 }).map((spans) => spans * SPAN), evictable: fc.boolean() },
    { requiredKeys: [] },
  ),
  fc.record({ keepTtl: fc.boolean(), evictable: fc.boolean() }, { requiredKeys: [] }),
);
const anySelector: fc.Arbitrary<Selector> = fc.record(
  {
    prefix: fc.constantFrom("", "a", "*", "\u{10000}"),
    gte: anyKey,
    lt: anyKey,
    reverse: fc.boolean(),
    limit: fc.nat(4),
  },
  { requiredKeys: [] },
);

function storeOptions({ ttl, keepTtl, evictable }: ModelOptions): {
  ttl?: number;
  keepTtl?: boolean;
  policy?: "persist" | "evict";
} {
  return {
    ...(ttl === undefined ? {} : { ttl }),
    ...(keepTtl === undefined ? {} : { keepTtl }),
    ...(evictable === undefined ? {} : { policy: evictable ? "evict" : "persist" }),
  };
}

/** A command that can always be run. */
function command(name: string, run: (model: Model, real: Real) => Promise<void>): Command {
  return { check: () => true, run, toString: () => name };
}

/** Asserts that everything readable about one key agrees with the model. */
async function assertKey(key: string, model: Model, { store, revisions }: Real): Promise<void> {
  const expected = model.get(key);
  const entry = await store.getEntry(key);
  assert.deepEqual(entry?.value, expected?.value, key);
  assert.equal(entry !== undefined, expected !== undefined, key);
  assert.equal(await store.has(key), expected !== undefined, key);
  if (entry === undefined || expected === undefined) {
    revisions.delete(key);
    return;
  }
  assert.equal(entry.metadata.policy === "evict", expected.evictable, key);
  assert.equal(entry.metadata.expiresAt !== undefined, expected.expiresAt !== undefined, key);
  const known = revisions.get(key);
  if (known !== undefined)
    assert.equal(
      known.real === entry.metadata.revision,
      known.model === expected.revision,
      `the revision of ${key}`,
    );
  revisions.set(key, { model: expected.revision, real: entry.metadata.revision });
}

/** A command on one key, followed by a check of that key. */
function onKey(name: string, key: string, run: (model: Model, real: Real) => Promise<void>): Command {
  return command(`${name}(${JSON.stringify(key)})`, async (model, real) => {
    await run(model, real);
    await assertKey(key, model, real);
  });
}

const writes = [
  fc.tuple(anyKey, anyValue, anyOptions).map(([key, value, options]) =>
    onKey(`set ${JSON.stringify([value, options])}`, key, async (model, { store }) => {
      await store.set(key, value, storeOptions(options));
      model.set(key, value, options);
    }),
  ),
  fc.tuple(anyKey, anyValue).map(([key, value]) =>
    onKey(`create ${JSON.stringify(value)}`, key, async (model, { store }) => {
      const created = (await store.create(key, value)) !== undefined;
      assert.equal(created, model.get(key) === undefined);
      if (created) model.set(key, value);
    }),
  ),
  fc.tuple(anyKey, anyValue).map(([key, value]) =>
    onKey(`replace ${JSON.stringify(value)}`, key, async (model, { store, revisions }) => {
      const known = revisions.get(key);
      const replaced = (await store.replace(key, value, { revision: known?.real ?? "none" })) !== undefined;
      const current = model.get(key);
      assert.equal(replaced, current !== undefined && current.revision === known?.model);
      if (replaced) model.set(key, value);
    }),
  ),
  fc.tuple(anyKey, fc.integer({ min: -3, max: 3 })).map(([key, by]) =>
    onKey(`increment ${by}`, key, async (model, { store }) => {
      const sum = await store.increment(key, by).catch((error: unknown) => {
        assert.equal((error as { code?: unknown }).code, "KV_INVALID_VALUE");
        return undefined;
      });
      assert.equal(sum, model.increment(key, by));
    }),
  ),
  anyKey.map((key) =>
    onKey("delete", key, async (model, { store }) => {
      assert.equal(await store.delete(key), model.delete(key));
    }),
  ),
  anyKey.map((key) =>
    onKey("take", key, async (model, { store }) => {
      assert.deepEqual(await store.take(key), model.get(key)?.value);
      model.delete(key);
    }),
  ),
  fc.tuple(anyKey, fc.option(fc.integer({ min: 1, max: 5 }))).map(([key, spans]) =>
    onKey(`updateTtl ${spans}`, key, async (model, { store }) => {
      const ttl = spans === null ? null : spans * SPAN;
      assert.equal(await store.updateTtl(key, ttl), model.touch(key, { ttl }));
    }),
  ),
  fc.tuple(anyKey, fc.boolean()).map(([key, evictable]) =>
    onKey(`updatePolicy ${evictable}`, key, async (model, { store }) => {
      assert.equal(
        await store.updatePolicy(key, evictable ? "evict" : "persist"),
        model.touch(key, { evictable }),
      );
    }),
  ),
];

const ofMany = [
  fc.uniqueArray(fc.tuple(anyKey, anyValue), { selector: ([key]) => key, maxLength: 5 }).map((tuples) =>
    command(`setMany(${JSON.stringify(tuples)})`, async (model, real) => {
      await real.store.setMany(tuples);
      for (const [key, value] of tuples) model.set(key, value);
    }),
  ),
  fc.tuple(anyKey, anyKey, anyValue).map(([checked, written, value]) =>
    command(`atomic(${JSON.stringify([checked, written, value])})`, async (model, { store }) => {
      const { ok } = await store.atomic().check(checked, null).set(written, value).commit();
      assert.equal(ok, model.get(checked) === undefined);
      if (ok) model.set(written, value);
    }),
  ),
  anySelector.map((selector) =>
    command(`clear(${JSON.stringify(selector)})`, async (model, { store }) => {
      const named = model.keys(selector);
      assert.equal(await store.clear(selector), named.length);
      for (const key of named) model.delete(key);
    }),
  ),
  fc.constant(
    command("clearCache()", async (model, { store }) => {
      const named = model.keys().filter((key) => model.get(key)?.evictable);
      assert.equal(await store.clearCache(), named.length);
      for (const key of named) model.delete(key);
    }),
  ),
  anySelector.map((selector) =>
    command(`scan(${JSON.stringify(selector)})`, async (model, { store }) => {
      const expected = model.keys(selector);
      assert.deepEqual(await collect(store.keys(selector)), expected);
      assert.deepEqual(
        await collect(store.values(selector)),
        expected.map((key) => model.get(key)?.value),
      );
      assert.equal(await store.count(selector), expected.length);
      assert.deepEqual(
        (await store.page(selector)).entries.map(({ key }) => key),
        expected,
      );
    }),
  ),
  fc.constant(
    command("getMany and stats", async (model, real) => {
      assert.deepEqual(
        await real.store.getMany(KEYS),
        KEYS.map((key) => model.get(key)?.value),
      );
      const live = model.keys().map((key) => model.get(key));
      const { keys, expiring, evictable } = await real.store.stats();
      assert.deepEqual(
        [keys, expiring, evictable],
        [
          live.length,
          live.filter((entry) => entry?.expiresAt !== undefined).length,
          live.filter((entry) => entry?.evictable).length,
        ],
      );
      for (const key of KEYS) await assertKey(key, model, real);
    }),
  ),
];

const ofTime = [
  fc.integer({ min: 1, max: 4 }).map((spans) =>
    command(`pass(${spans * SPAN} s)`, async (model, { time }) => {
      await time.pass(spans * SPAN);
      model.pass(spans * SPAN);
    }),
  ),
  fc.constant(
    command("sweep()", async (_, { store }) => {
      await store.sweep();
    }),
  ),
];

/** Any sequence of commands; commands that let time pass only if the clock can be moved. */
export function anyCommands(clock: boolean): fc.Arbitrary<Iterable<Command>> {
  const timeless = [...writes, ...ofMany].map((each) => each as fc.Arbitrary<Command>);
  return fc.commands(clock ? [...timeless, ...ofTime] : timeless, { maxCommands: 40, size: "max" });
}
