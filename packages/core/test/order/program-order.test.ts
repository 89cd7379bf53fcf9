import { createStore, type Store } from "@kv/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FakeAdapter } from "../fake-adapter.ts";

const KEYS = ["a", "b", "c"];

/** One call of a store, with what it must answer when calls take effect in call order. */
interface Step {
  readonly name: string;
  /** A pause before it, so that it falls into a later tick than the one before. */
  readonly later: boolean;
  call(store: Store): Promise<unknown>;
  model(state: Map<string, number>): unknown;
}

const key = fc.constantFrom(...KEYS);
const number = fc.integer({ min: 0, max: 99 });
const later = fc.boolean();
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ k: key, later }).map(({ k, later }) => ({
    name: `get ${k}`,
    later,
    call: (store: Store) => store.get(k),
    model: (state: Map<string, number>) => state.get(k),
  })),
  fc.record({ k: key, n: number, later }).map(({ k, n, later }) => ({
    name: `set ${k} ${n}`,
    later,
    call: (store: Store) => store.set(k, n).then(() => "set"),
    model: (state: Map<string, number>) => {
      state.set(k, n);
      return "set";
    },
  })),
  fc.record({ k: key, n: number, later }).map(({ k, n, later }) => ({
    name: `increment ${k} ${n}`,
    later,
    call: (store: Store) => store.increment(k, n),
    model: (state: Map<string, number>) => {
      const sum = (state.get(k) ?? 0) + n;
      state.set(k, sum);
      return sum;
    },
  })),
  fc.record({ k: key, later }).map(({ k, later }) => ({
    name: `delete ${k}`,
    later,
    call: (store: Store) => store.delete(k),
    model: (state: Map<string, number>) => state.delete(k),
  })),
  fc.record({ k: key, later }).map(({ k, later }) => ({
    name: `take ${k}`,
    later,
    call: (store: Store) => store.take(k),
    model: (state: Map<string, number>) => {
      const value = state.get(k);
      state.delete(k);
      return value;
    },
  })),
  fc.record({ k: key, later }).map(({ k, later }) => ({
    name: `update ${k}`,
    later,
    call: (store: Store) => store.update(k, (value) => Number(value ?? 0) * 2 + 1),
    model: (state: Map<string, number>) => {
      const value = (state.get(k) ?? 0) * 2 + 1;
      state.set(k, value);
      return value;
    },
  })),
  later.map((later) => ({
    name: "getMany",
    later,
    call: (store: Store) => store.getMany(KEYS),
    model: (state: Map<string, number>) => KEYS.map((k) => state.get(k)),
  })),
  fc.record({ n: number, later }).map(({ n, later }) => ({
    name: `setMany ${n}`,
    later,
    call: (store: Store) =>
      store
        .setMany([
          ["a", n],
          ["c", n + 1],
        ])
        .then(() => "set"),
    model: (state: Map<string, number>) => {
      state.set("a", n).set("c", n + 1);
      return "set";
    },
  })),
  fc.record({ n: number, later }).map(({ n, later }) => ({
    name: `atomic ${n}`,
    later,
    call: async (store: Store) =>
      (await store.atomic().set("a", n).delete("b").increment("a", 1).commit()).ok,
    model: (state: Map<string, number>) => {
      state.set("a", n + 1).delete("b");
      return true;
    },
  })),
  later.map((later) => ({
    name: "clear",
    later,
    call: (store: Store) => store.clear(),
    model: (state: Map<string, number>) => {
      const { size } = state;
      state.clear();
      return size;
    },
  })),
  later.map((later) => ({
    name: "count",
    later,
    call: (store: Store) => store.count(),
    model: () => expect.anything(),
  })),
);

describe("program order", () => {
  for (const read of [true, false]) {
    for (const commit of [true, false]) {
      it(`holds when answers come late and in any order (batched reads: ${read}, batched commits: ${commit})`, async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.integer(), async (steps, seed) => {
            let random = seed >>> 0;
            const schedule = <T>(effect: () => T): Promise<T> =>
              new Promise((resolve, reject) => {
                random = (random * 1_664_525 + 1_013_904_223) >>> 0;
                let hops = (random >>> 16) % 12;
                const hop = (): void => {
                  if (hops-- > 0) return void Promise.resolve().then(hop);
                  try {
                    resolve(effect());
                  } catch (error) {
                    reject(error);
                  }
                };
                hop();
              });
            const store = createStore(new FakeAdapter({ batch: { read, commit }, schedule }));
            const state = new Map<string, number>();
            const expected = steps.map((each) => each.model(state));
            const answers: Promise<unknown>[] = [];
            for (const each of steps) {
              if (each.later) await Promise.resolve();
              answers.push(each.call(store));
            }
            expect(await Promise.all(answers)).toEqual(expected);
            await store.close();
          }),
          { numRuns: process.env["KV_TEST_FULL"] === "1" ? 5000 : 300 },
        );
      });
    }
  }

  it("gathers the calls of a tick into one read and one commit", async () => {
    const adapter = new FakeAdapter({ schedule: async (effect) => effect() });
    const store = createStore(adapter);
    await store.get("warm");
    adapter.calls.length = 0;
    await Promise.all([
      ...Array.from({ length: 100 }, (_, i) => store.get(`r${i}`)),
      ...Array.from({ length: 100 }, (_, i) => store.set(`w${i}`, i)),
    ]);
    expect(adapter.calls).toEqual([
      { verb: "read", size: 100 },
      { verb: "commit", size: 100 },
    ]);
  });

  it("gathers workers that a batch woke together into the next batch", async () => {
    const adapter = new FakeAdapter({ schedule: async (effect) => effect() });
    const store = createStore(adapter);
    await store.get("warm");
    adapter.calls.length = 0;
    await Promise.all(
      Array.from({ length: 64 }, async (_, worker) => {
        for (let i = 0; i < 10; i++) await store.set(`${worker}`, i);
      }),
    );
    expect(adapter.calls).toEqual(Array.from({ length: 10 }, () => ({ verb: "commit", size: 64 })));
  });

  it("cuts what is large into slices, and answers all of it", async () => {
    const adapter = new FakeAdapter({ schedule: async (effect) => effect() });
    const store = createStore(adapter);
    const entries = Array.from({ length: 5000 }, (_, i): [string, number] => [`k${i}`, i]);
    expect(new Set(await store.setMany(entries)).size).toBe(5000);
    expect(await store.getMany(entries.map(([k]) => k))).toEqual(entries.map(([, v]) => v));
    expect(Math.max(...adapter.calls.map(({ size }) => size))).toBeLessThanOrEqual(1024);
  });
});
