import assert from "node:assert/strict";
import { KvError, type Store } from "@kv/core";
import fc from "fast-check";
import { Model } from "../../model/model.ts";
import { atomically } from "../../suite/abilities.ts";
import type { Case } from "../../suite/chapter.ts";
import { inTime, runs } from "../../suite/property.ts";

/** A call, its effect on the model, and how long the caller does something else after it. */
interface Call {
  readonly name: string;
  readonly real: (store: Store) => Promise<unknown>;
  readonly model: (model: Model) => unknown;
  readonly then: "nothing" | "microtask" | "tick" | "turn";
}

const KEYS = ["a", "b", "c"];
const anyKey = fc.constantFrom(...KEYS);
const anyValue = fc.oneof(fc.nat(9), fc.constant("text"));
const anyPause = fc.constantFrom<Call["then"]>("nothing", "nothing", "nothing", "microtask", "tick", "turn");

function calls<A extends unknown[]>(
  name: string,
  args: fc.Arbitrary<A>,
  real: (store: Store, ...args: A) => Promise<unknown>,
  model: (model: Model, ...args: A) => unknown,
): fc.Arbitrary<Call> {
  return fc.tuple(args, anyPause).map(([given, then]) => ({
    name: `${name}(${JSON.stringify(given)})`,
    real: (store) => real(store, ...given),
    model: (plain) => model(plain, ...given),
    then,
  }));
}

function taken(model: Model, key: string): unknown {
  const value = model.get(key)?.value;
  model.delete(key);
  return value;
}

const anyCall: fc.Arbitrary<Call> = fc.oneof(
  calls(
    "get",
    fc.tuple(anyKey),
    (store, key) => store.get(key),
    (model, key) => model.get(key)?.value,
  ),
  calls(
    "has",
    fc.tuple(anyKey),
    (store, key) => store.has(key),
    (model, key) => model.get(key) !== undefined,
  ),
  calls(
    "getMany",
    fc.tuple(fc.array(anyKey, { maxLength: 3 })),
    (store, keys) => store.getMany(keys),
    (model, keys) => keys.map((key) => model.get(key)?.value),
  ),
  calls(
    "set",
    fc.tuple(anyKey, anyValue),
    (store, key, value) => store.set(key, value).then(() => undefined),
    (model, key, value) => model.set(key, value),
  ),
  calls(
    "setMany",
    fc.tuple(fc.array(fc.tuple(anyKey, anyValue), { maxLength: 3 })),
    (store, tuples) => store.setMany(tuples).then(() => undefined),
    (model, tuples) => {
      for (const [key, value] of tuples) model.set(key, value);
    },
  ),
  calls(
    "create",
    fc.tuple(anyKey, anyValue),
    (store, key, value) => store.create(key, value).then((revision) => revision !== undefined),
    (model, key, value) => {
      const absent = model.get(key) === undefined;
      if (absent) model.set(key, value);
      return absent;
    },
  ),
  calls(
    "increment",
    fc.tuple(anyKey, fc.nat(3)),
    // A refusal is an answer, too, with its place in the order.
    (store, key, by) =>
      store.increment(key, by).catch((error: unknown) => assert.ok(KvError.is(error, "KV_INVALID_VALUE"))),
    (model, key, by) => model.increment(key, by),
  ),
  calls(
    "update",
    fc.tuple(anyKey, anyValue),
    (store, key, value) => store.update(key, (old) => (old === value ? undefined : value)),
    (model, key, value) => {
      if (model.get(key)?.value !== value) model.set(key, value);
      else model.delete(key);
      return model.get(key)?.value;
    },
  ),
  calls("take", fc.tuple(anyKey), (store, key) => store.take(key), taken),
  calls(
    "delete",
    fc.tuple(anyKey),
    (store, key) => store.delete(key),
    (model, key) => model.delete(key),
  ),
  calls(
    "deleteMany",
    fc.tuple(fc.uniqueArray(anyKey, { maxLength: 3 })),
    (store, keys) => store.deleteMany(keys),
    (model, keys) => keys.filter((key) => model.delete(key)).length,
  ),
  calls(
    "atomic",
    fc.tuple(anyKey, anyKey, fc.nat(9)),
    (store, checked, key, value) =>
      store
        .atomic()
        .check(checked, null)
        .set(key, value)
        .increment(key)
        .commit()
        .then(({ ok }) => ok),
    (model, checked, key, value) => {
      const ok = model.get(checked) === undefined;
      if (ok) model.set(key, value + 1);
      return ok;
    },
  ),
  calls(
    "clear",
    fc.tuple(anyKey),
    (store, prefix) => store.clear({ prefix }),
    (model, prefix) => model.keys({ prefix }).filter((key) => model.delete(key)).length,
  ),
);

const PAUSES: Readonly<Record<Call["then"], () => Promise<void> | undefined>> = {
  nothing: () => undefined,
  microtask: () => Promise.resolve(),
  tick: () => new Promise((resolve) => process.nextTick(resolve)),
  turn: () => new Promise((resolve) => setImmediate(resolve)),
};

export const anyOrder: readonly Case[] = [
  {
    title: "any calls that nobody awaits answer what the same calls answer one after the other",
    requires: atomically,
    async run({ store }) {
      await fc.assert(
        fc.asyncProperty(
          fc.array(anyCall, { minLength: 2, maxLength: 30, size: "max" }),
          inTime(async (sequence) => {
            await store.clear();
            const model = new Model();
            const answers: Promise<unknown>[] = [];
            const expected: unknown[] = [];
            for (const { real, model: plain, then } of sequence) {
              const answer = real(store);
              // The answer is awaited later; until then, a failure must not count as an unhandled rejection.
              answer.catch(() => undefined);
              answers.push(answer);
              expected.push(plain(model));
              const pause = PAUSES[then]();
              if (pause !== undefined) await pause;
            }
            const seen = await Promise.all(answers);
            const told = sequence.map(({ name, then }) => `${name}, ${then}`).join("; ");
            assert.deepEqual(seen, expected, told);
            assert.deepEqual(
              await store.getMany(KEYS),
              KEYS.map((key) => model.get(key)?.value),
              told,
            );
          }),
        ),
        runs(60),
      );
    },
  },
];
