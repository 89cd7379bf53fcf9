import { type Adapter, createStore, type Store } from "@kv/core";
import { memory } from "@kv/memory";
import { describe, expect, it } from "vitest";
import { persistentAdapter } from "../../workers/faults/persistent-adapter.ts";
import { scratchDirectory } from "../processes/child.ts";
import { type Random, randomFrom } from "./damage/damage.ts";

const STEPS = process.env["KV_TEST_FULL"] === "1" ? 20_000 : 2_000;
const SEED = Number(process.env["KV_TEST_SEED"] ?? 20_261_120);
const KEYS = ["a", "b", "c", "d", "e", "f"];
const MINUTE = 60_000;

interface Held {
  value: number;
  deadline: number | undefined;
  /** It was expired once, and may have been reclaimed then: after the clock went back, it may exist or not. */
  doubtful: boolean;
}

/** A store under a clock that jumps at random, beside what has to be in it. */
class Jumping {
  now = 1_790_000_000_000;
  readonly revisions: string[] = [];
  readonly #held = new Map<string, Held>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  jump(): void {
    this.now += (this.below(2) === 0 ? -1 : 1) * this.below(this.below(10) === 0 ? 10_000 : 10) * MINUTE;
  }

  /** What the key holds now. */
  async #live(store: Store, key: string): Promise<Held | undefined> {
    for (const held of this.#held.values())
      if (held.deadline !== undefined && held.deadline <= this.now) held.doubtful = true;
    const held = this.#held.get(key);
    if (held === undefined || (held.deadline !== undefined && held.deadline <= this.now)) return undefined;
    if (held.doubtful && !(await store.has(key))) {
      this.#held.delete(key);
      return undefined;
    }
    held.doubtful = false;
    return held;
  }

  async step(store: Store): Promise<void> {
    const key = KEYS[this.below(KEYS.length)] ?? "a";
    const minutes = this.below(3) === 0 ? undefined : 1 + this.below(20);
    const ttl = minutes === undefined ? undefined : { minutes };
    const deadline = minutes === undefined ? undefined : this.now + minutes * MINUTE;
    const value = this.below(1_000);
    const held = await this.#live(store, key);
    const fresh = { value, deadline, doubtful: false };
    switch (this.below(8)) {
      case 0:
        this.revisions.push(await store.set(key, value, { ttl }));
        this.#held.set(key, fresh);
        break;
      case 1: {
        const revision = await store.create(key, value, { ttl });
        expect(revision === undefined, `create of ${key}`).toBe(held !== undefined);
        if (revision === undefined) break;
        this.revisions.push(revision);
        this.#held.set(key, fresh);
        break;
      }
      case 2:
        expect(await store.increment(key, 1, { ttl }), `increment of ${key}`).toBe((held?.value ?? 0) + 1);
        if (held === undefined) this.#held.set(key, { ...fresh, value: 1 });
        else held.value++;
        break;
      case 3:
        expect(await store.delete(key), `delete of ${key}`).toBe(held !== undefined);
        this.#held.delete(key);
        break;
      case 4:
        expect(await store.updateTtl(key, ttl ?? null), `updateTtl of ${key}`).toBe(held !== undefined);
        if (held !== undefined) held.deadline = deadline;
        break;
      case 5:
        await store.sweep();
        break;
      default:
        this.jump();
    }
    await this.verify(store);
  }

  async verify(store: Store): Promise<void> {
    const expected: [string, number][] = [];
    for (const key of KEYS) {
      const held = await this.#live(store, key);
      expect(await store.get(key), key).toBe(held?.value);
      if (held === undefined) continue;
      expected.push([key, held.value]);
      expect((await store.getMetadata(key))?.expiresAt?.getTime(), `deadline of ${key}`).toBe(held.deadline);
    }
    expect(await store.range("")).toEqual(expected);
    expect(await store.count()).toBe(expected.length);
  }
}

type Open = (directory: string, clock: () => number) => Adapter | Promise<Adapter>;
const ADAPTERS: readonly (readonly [name: string, open: Open, reopens: boolean])[] = [
  ["memory", (_, clock) => memory({ clock }), false],
  ["sqlite", (directory, clock) => persistentAdapter("sqlite", directory, { clock }), true],
  ["leveldb", (directory, clock) => persistentAdapter("leveldb", directory, { clock }), true],
];

describe(`any order of writes, sweeps and jumps of the clock (seed ${SEED})`, () => {
  for (const [name, open, reopens] of ADAPTERS) {
    it(`leaves ${name} with what was written and has not expired`, async ({ onTestFinished }) => {
      const directory = scratchDirectory(onTestFinished);
      const jumping = new Jumping(randomFrom(SEED));
      const start = async () =>
        createStore(await open(directory, () => jumping.now), { sweepInterval: null });
      let store = await start();
      onTestFinished(() => store.close());
      for (let i = 0; i < STEPS; i++) {
        if (reopens && i % 100 === 99) {
          await store.close();
          store = await start();
        }
        await jumping.step(store);
      }
      expect(new Set(jumping.revisions).size).toBe(jumping.revisions.length);
      console.log(
        `${name}: ${STEPS} steps under a jumping clock, ${jumping.revisions.length} revisions, all different`,
      );
    }, 300_000);
  }
});
