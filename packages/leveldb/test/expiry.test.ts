import { type Adapter, createStore, namespaceOf, type StoredChange } from "@kv/core";
import { ClassicLevel } from "classic-level";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { leveldb } from "../src/index.ts";
import { commitAll, EVERYTHING, payloadOf, ROOT, scratchPath, setting } from "./scratch.ts";

interface Scene {
  readonly adapter: Adapter;
  readonly database: ClassicLevel;
  /** The records of the expiry index: the keys that each of them names. */
  records(): Promise<string[][]>;
  /** How many entries are stored, live or not. */
  stored(): Promise<number>;
  now: number;
}

async function scene(): Promise<Scene> {
  const database = new ClassicLevel(await scratchPath());
  const made: Scene = {
    now: 1_000_000,
    database,
    adapter: leveldb({ database, clock: () => made.now }),
    records: async () =>
      (await database.values({ gte: "!kv!x", lt: "!kv!y" }).all()).map((value) => JSON.parse(value.slice(8))),
    stored: async () => (await database.keys({ gte: "!kv!e", lt: "!kv!f" }).all()).length,
  };
  await made.adapter.open();
  onTestFinished(async () => {
    await made.adapter.close();
    await database.close();
  });
  return made;
}

const touching = (key: string, expiresAt: number | null) =>
  ({ checks: [], mutations: [{ type: "touch", key, expiresAt, policy: undefined }] }) as const;
const deleting = (key: string) => ({ checks: [], mutations: [{ type: "delete", key }] }) as const;

describe("the expiry index", () => {
  test("what is renewed in the batch in which a sweep removes it is found by a later sweep", async () => {
    const made = await scene();
    const { adapter, database } = made;
    await commitAll(adapter, setting("session", 1, { expiresAt: made.now + 1000 }));
    made.now += 2000;
    const gate = Promise.withResolvers<void>();
    const put = database.put.bind(database) as (...args: unknown[]) => Promise<void>;
    vi.spyOn(database, "put").mockImplementation(async (...args: unknown[]) => {
      await gate.promise;
      return put(...args);
    });
    const writing = commitAll(adapter, setting("other", 1));
    // It has read the index by then, and waits for its turn.
    const sweeping = adapter.sweep();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const renewing = commitAll(adapter, setting("session", 2, { expiresAt: made.now + 1000 }));
    gate.resolve();
    await Promise.all([writing, renewing]);
    expect(await sweeping).toBe(1);
    expect(await payloadOf(adapter, "session")).toBe("2");
    made.now += 2000;
    expect(await adapter.count(ROOT, EVERYTHING)).toBe(1);
    expect(await adapter.sweep()).toBe(1);
    expect(await made.stored()).toBe(1);
  });

  test("one record names what a batch wrote with about the same deadline", async () => {
    const { adapter, records, now } = await scene();
    await commitAll(
      adapter,
      ...Array.from({ length: 200 }, (_, i) => setting(`k${i}`, i, { expiresAt: now + 3_600_000 + i })),
    );
    expect((await records()).length).toBeLessThanOrEqual(2);
    await commitAll(adapter, setting("without", 1));
    expect((await records()).flat()).toHaveLength(200);
  });

  test("writing a key again and again with later deadlines leaves one record", async () => {
    const made = await scene();
    for (let i = 0; i < 500; i++) {
      made.now += 10;
      await commitAll(made.adapter, setting("session", i, { expiresAt: made.now + 1_800_000 }));
    }
    expect(await made.records()).toHaveLength(1);
  });

  test("creating and deleting a key over and over, as a lock does, leaves one record", async () => {
    const made = await scene();
    for (let i = 0; i < 500; i++) {
      made.now += 10;
      await commitAll(made.adapter, setting("lock", i, { expiresAt: made.now + 30_000 }));
      await commitAll(made.adapter, deleting("lock"));
    }
    expect(await made.records()).toHaveLength(1);
  });

  test("what is left of records goes with a sweep at their time, and what lives on is found at its own", async () => {
    const made = await scene();
    const { adapter } = made;
    await commitAll(
      adapter,
      setting("extended", 1, { expiresAt: made.now + 1000 }),
      setting("kept", 1, { expiresAt: made.now + 1000 }),
      setting("deleted", 1, { expiresAt: made.now + 1000 }),
      setting("shortened", 1, { expiresAt: made.now + 500_000 }),
      setting("gone", 1, { expiresAt: made.now + 1000 }),
    );
    await commitAll(
      adapter,
      setting("extended", 2, { expiresAt: made.now + 100_000 }),
      touching("kept", null),
      deleting("deleted"),
      touching("shortened", made.now + 2000),
    );
    made.now += 1000;
    expect(await adapter.sweep()).toBe(1);
    expect((await made.records()).flat().sort()).toEqual(["\0extended", "\0shortened", "\0shortened"]);
    made.now += 1000;
    expect(await adapter.sweep()).toBe(1);
    expect(await made.stored()).toBe(2);
    made.now += 98_000;
    expect(await adapter.sweep()).toBe(1);
    made.now += 1_000_000;
    expect(await adapter.sweep()).toBe(0);
    expect(await made.records()).toEqual([]);
    expect(await payloadOf(adapter, "kept")).toBe("1");
  });

  test("a shorter deadline after a sweep moved the record to a later one is found in time", async () => {
    const made = await scene();
    const { adapter } = made;
    await commitAll(adapter, setting("k", 1, { expiresAt: made.now + 1000 }));
    await commitAll(adapter, setting("k", 2, { expiresAt: made.now + 100_000 }));
    made.now += 1000;
    expect(await adapter.sweep()).toBe(0);
    await commitAll(adapter, setting("k", 3, { expiresAt: made.now + 5000 }));
    made.now += 5000;
    expect(await adapter.count(ROOT, EVERYTHING)).toBe(0);
    expect(await adapter.sweep()).toBe(1);
    expect(await made.stored()).toBe(0);
  });
});

describe("a sweep", () => {
  test("removes what has expired and nothing else, in slices that leave the event loop alive", async () => {
    const made = await scene();
    const { adapter } = made;
    for (let from = 0; from < 30_000; from += 1000) {
      const commits = Array.from({ length: 1000 }, (_, i) =>
        setting(`k${from + i}`, i, { expiresAt: (from + i) % 3 === 0 ? undefined : made.now + 1000 }),
      );
      await commitAll(adapter, ...commits);
    }
    made.now += 1000;
    await commitAll(adapter, setting("k1", "rewritten"), setting("k2", "later", { expiresAt: made.now + 1 }));
    // The time of this thread alone: other programs on a busy machine do not make a slice longer.
    const worked = () => process.threadCpuUsage().user / 1000;
    let longest = 0;
    let last = worked();
    const watching = setInterval(() => {
      longest = Math.max(longest, worked() - last);
      last = worked();
    }, 1);
    expect(await adapter.sweep()).toBe(20_000 - 2);
    clearInterval(watching);
    expect(longest).toBeLessThan(100);
    expect(await made.stored()).toBe(10_002);
    expect(await payloadOf(adapter, "k1")).toBe('"rewritten"');
    expect(await adapter.count(ROOT, EVERYTHING)).toBe(10_002);
  });

  test("never takes what is rewritten while it goes on", async () => {
    const made = await scene();
    const { adapter } = made;
    const keys = Array.from({ length: 3000 }, (_, i) => `k${i}`);
    await commitAll(adapter, ...keys.map((key) => setting(key, 1, { expiresAt: made.now + 1000 })));
    made.now += 1000;
    const sweeping = adapter.sweep();
    const rewritten: string[] = [];
    for (const key of [...keys].reverse().filter((_, i) => i % 10 === 0)) {
      await commitAll(adapter, setting(key, 2));
      rewritten.push(key);
    }
    const swept = await sweeping;
    expect(swept).toBeLessThanOrEqual(3000);
    for (const key of rewritten) expect(await payloadOf(adapter, key)).toBe("2");
    expect(await made.stored()).toBe(rewritten.length);
  });

  test("tells watchers of every namespace, and two at a time remove nothing twice", async () => {
    const made = await scene();
    const { adapter } = made;
    const tenant = namespaceOf(["tenant\0", "a/b"]);
    const changes: StoredChange[] = [];
    await adapter.commit(tenant, [setting("x", 1, { expiresAt: made.now + 10 })]);
    await commitAll(adapter, setting("y", 1, { expiresAt: made.now + 10 }));
    await adapter.watch?.(tenant, EVERYTHING, (some) => changes.push(...some));
    made.now += 10;
    const swept = await Promise.all([adapter.sweep(), adapter.sweep()]);
    expect(swept).toEqual([2, 0]);
    expect(changes).toEqual([{ type: "expire", key: "x" }]);
  });

  test("goes on after a restart, with what was written before it", async () => {
    const path = await scratchPath();
    let now = 1_000_000;
    const first = createStore(leveldb({ path, clock: () => now }));
    await first.setMany([
      ["a", 1, { ttl: 10 }],
      ["b", 2, { ttl: 20 }],
      ["c", 3],
    ]);
    await first.close();
    now += 15_000;
    const second = createStore(leveldb({ path, clock: () => now }));
    expect(await second.count()).toBe(2);
    expect(await second.sweep()).toBe(1);
    now += 15_000;
    expect(await second.sweep()).toBe(1);
    expect(await second.sweep()).toBe(0);
    await second.close();
  });

  test("works with a clock that jumps backwards", async () => {
    const made = await scene();
    const { adapter } = made;
    await commitAll(adapter, setting("a", 1, { expiresAt: made.now + 1000 }));
    made.now += 1000;
    expect(await adapter.sweep()).toBe(1);
    made.now -= 500_000;
    await commitAll(adapter, setting("b", 1, { expiresAt: made.now + 1000 }));
    made.now += 1000;
    expect(await adapter.count(ROOT, EVERYTHING)).toBe(0);
    expect(await adapter.sweep()).toBe(1);
    expect(await made.stored()).toBe(0);
  });
});

test("more expired entries than a list would look up one by one are counted all the same", async () => {
  const made = await scene();
  const { adapter } = made;
  for (let from = 0; from < 6000; from += 1000)
    await commitAll(
      adapter,
      ...Array.from({ length: 1000 }, (_, i) => setting(`k${from + i}`, i, { expiresAt: made.now + 5 })),
    );
  await commitAll(adapter, setting("live", 1), setting("later", 1, { expiresAt: made.now + 500 }));
  made.now += 5;
  expect(await adapter.count(ROOT, EVERYTHING)).toBe(2);
  const keys: string[] = [];
  const range = { ...EVERYTHING, reverse: false, limit: Number.POSITIVE_INFINITY, keysOnly: true };
  for await (const page of adapter.scan(ROOT, range)) for (const { key } of page) keys.push(key);
  expect(keys).toEqual(["later", "live"]);
});

test("an altered record hides nothing: counts look at every entry, and sweeps leave it", async () => {
  const made = await scene();
  const { adapter, database } = made;
  await commitAll(adapter, setting("a", 1, { expiresAt: made.now + 5 }), setting("b", 1));
  const [[key, value] = ["", ""]] = await database.iterator({ gte: "!kv!x", lt: "!kv!y" }).all();
  await database.put(key, value.replace("a", "c"));
  made.now += 5;
  expect(await adapter.count(ROOT, EVERYTHING)).toBe(1);
  expect(await adapter.sweep()).toBe(0);
});
