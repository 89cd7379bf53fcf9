import { type Adapter, type Commit, createStore, namespaceOf, type StoredChange } from "@kv/core";
import { ClassicLevel } from "classic-level";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { leveldb } from "../src/index.ts";
import { flaky } from "./flaky.ts";
import { commitAll, EVERYTHING, opened, payloadOf, ROOT, scratchPath, setting } from "./scratch.ts";

function incrementing(key: string, by = 1): Commit {
  const mutation = {
    type: "increment",
    key,
    by,
    expiresAt: undefined,
    policy: "persist",
    user: undefined,
  } as const;
  return { checks: [], mutations: [mutation] };
}

function deleting(key: string): Commit {
  return { checks: [], mutations: [{ type: "delete", key }] };
}

function checking(key: string, revision: string | null, then: Commit): Commit {
  return { checks: [{ key, revision }], mutations: then.mutations };
}

describe("commits that are not awaited", () => {
  test("each sees what those before it did, in the same batch and in the one being written", async () => {
    const adapter = await opened({ path: await scratchPath() });
    const counted = Array.from({ length: 300 }, () => adapter.commit(ROOT, [incrementing("n")]));
    const results = (await Promise.all(counted)).flat();
    expect(results.map((result) => (result.status === "ok" ? result.outcomes[0]?.value : result))).toEqual(
      Array.from({ length: 300 }, (_, i) => i + 1),
    );
  });

  test("one of many creators wins, over several namespaces at a time", async () => {
    const adapter = await opened({ path: await scratchPath() });
    const namespaces = [ROOT, namespaceOf(["a"]), namespaceOf(["a", "b"])];
    for (const namespace of namespaces) {
      const creations = Array.from({ length: 20 }, (_, i) =>
        adapter.commit(namespace, [checking("k", null, setting("k", i))]),
      );
      const results = (await Promise.all(creations)).flat();
      expect(results.filter(({ status }) => status === "ok")).toHaveLength(1);
      expect(results[0]?.status).toBe("ok");
    }
  });

  test("a commit that fails by itself takes back all of its own and nothing of its neighbours'", async () => {
    const adapter = await opened({ path: await scratchPath() });
    await commitAll(adapter, setting("text", "no number"), setting("kept", 1));
    const failing: Commit = {
      checks: [],
      mutations: [
        ...setting("new", 1).mutations,
        ...setting("kept", 2).mutations,
        ...deleting("before").mutations,
        ...incrementing("text").mutations,
      ],
    };
    const results = await commitAll(adapter, setting("before", 1), failing, setting("after", 1));
    expect(results.map(({ status }) => status)).toEqual(["ok", "not-a-number", "ok"]);
    expect(
      await Promise.all(["new", "kept", "before", "after"].map((key) => payloadOf(adapter, key))),
    ).toEqual([undefined, "1", "1", "1"]);
  });

  test("what cannot be stored is that commit's own error", async () => {
    const adapter = await opened({ path: await scratchPath() });
    const results = await commitAll(
      adapter,
      setting("a", 1),
      setting("b", 1, { encoding: "\ud800" }),
      setting("c", 1),
    );
    expect(results.map(({ status }) => status)).toEqual(["ok", "error", "ok"]);
    expect(await adapter.count(ROOT, EVERYTHING)).toBe(2);
  });
});

describe("what is remembered of keys", () => {
  type Step =
    | { readonly type: "set" | "delete" | "increment" | "sweep" | "clear" | "create"; readonly key: string }
    | { readonly type: "expiring"; readonly key: string; readonly ttl: number }
    | { readonly type: "wait"; readonly key: string; readonly ms: number };
  const key = fc.constantFrom("a", "b", "c");
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({
      type: fc.constantFrom("set", "delete", "increment", "sweep", "clear", "create"),
      key,
    }),
    fc.record({ type: fc.constant("expiring"), key, ttl: fc.integer({ min: 1, max: 5000 }) }),
    fc.record({ type: fc.constant("wait"), key, ms: fc.integer({ min: 1, max: 4000 }) }),
  );

  async function take(adapter: Adapter, one: Step, now: { at: number }): Promise<unknown> {
    switch (one.type) {
      case "set":
        return commitAll(adapter, setting(one.key, 5));
      case "create":
        return commitAll(adapter, checking(one.key, null, setting(one.key, 7)));
      case "expiring":
        return commitAll(adapter, setting(one.key, 6, { expiresAt: now.at + one.ttl }));
      case "delete":
        return commitAll(adapter, deleting(one.key));
      case "increment":
        return commitAll(adapter, incrementing(one.key));
      case "sweep":
        return adapter.sweep();
      case "clear":
        return adapter.clear(ROOT, {
          start: one.key,
          end: `${one.key}\0`,
          policy: undefined,
          descendants: false,
        });
      case "wait":
        now.at += one.ms;
        return undefined;
    }
  }

  /** The answers without their revisions, which differ in any two stores. */
  function comparable(answers: readonly unknown[]): unknown {
    return JSON.parse(JSON.stringify(answers, (name, value) => (name === "revision" ? "some" : value)));
  }

  test("gives the answers of a store that remembers nothing, being opened for every step", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const now = { at: 1_000_000 };
        const path = await scratchPath();
        const one = leveldb({ path: `${path}-one`, clock: () => now.at });
        await one.open();
        const answers: unknown[] = [];
        for (const each of steps) answers.push(await take(one, each, now), await one.count(ROOT, EVERYTHING));
        await one.close();

        now.at = 1_000_000;
        const others: unknown[] = [];
        for (const each of steps) {
          const fresh = leveldb({ path: `${path}-many`, clock: () => now.at });
          await fresh.open();
          others.push(await take(fresh, each, now), await fresh.count(ROOT, EVERYTHING));
          await fresh.close();
        }
        expect(comparable(answers)).toEqual(comparable(others));
      }),
      { numRuns: 30 },
    );
  });

  test("createdAt and the deadline outlast being forgotten", async () => {
    let now = 1000;
    const adapter = await opened({ path: await scratchPath(), clock: () => now });
    await commitAll(adapter, setting("k", 1, { expiresAt: 1_000_000 }));
    now = 2000;
    // More keys than are remembered.
    for (let from = 0; from < 40_000; from += 4000)
      await commitAll(adapter, ...Array.from({ length: 4000 }, (_, i) => setting(`other${from + i}`, i)));
    await commitAll(adapter, setting("k", 2, { expiresAt: "keep" }));
    const [entry] = await adapter.read(ROOT, ["k"]);
    expect(entry).toMatchObject({ createdAt: 1000, updatedAt: 2000, expiresAt: 1_000_000 });
  });
});

describe("a write that fails", () => {
  test("rejects every commit of its batch, changes nothing, and is forgotten", async () => {
    const level = new ClassicLevel(await scratchPath());
    onTestFinished(() => level.close());
    const database = flaky(level);
    const adapter = await opened({ database });
    const changes: StoredChange[] = [];
    await adapter.watch?.(ROOT, EVERYTHING, (some) => changes.push(...some));
    const [first] = await commitAll(adapter, setting("k", 1));
    const revision = first?.status === "ok" ? (first.outcomes[0]?.revision ?? null) : null;
    database.failing = true;
    const failed = await Promise.allSettled([
      adapter.commit(ROOT, [setting("k", 2)]),
      adapter.commit(ROOT, [incrementing("n"), incrementing("n")]),
      adapter.commit(ROOT, [checking("k", revision, deleting("k"))]),
    ]);
    expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(failed[0]?.status === "rejected" && adapter.errorCode(failed[0].reason)).toBe("KV_CAPACITY");
    expect(await payloadOf(adapter, "k")).toBe("1");
    expect(await adapter.count(ROOT, EVERYTHING)).toBe(1);
    expect(changes.map(({ type }) => type)).toEqual(["set"]);
  });

  test("is followed by no other into the same log: a database handed in has to be opened anew", async () => {
    const level = new ClassicLevel(await scratchPath());
    onTestFinished(() => level.close());
    const database = flaky(level);
    const store = createStore(leveldb({ database }));
    await store.set("k", 1);
    database.failing = true;
    await expect(store.set("k", 2)).rejects.toMatchObject({ code: "KV_CAPACITY" });
    database.failing = false;
    await expect(store.set("k", 3)).rejects.toMatchObject({
      code: "KV_UNAVAILABLE",
      message: expect.stringMatching(/open it again/),
    });
    expect(await store.get("k")).toBe(1);
    await store.close();
    await level.close();
    await level.open();
    const again = createStore(leveldb({ database }));
    expect(await again.increment("k")).toBe(2);
    await again.close();
  });
});

test("several keys are read as of one time, whatever is being written", async () => {
  const adapter = await opened({ path: await scratchPath() });
  const keys = ["a", "b", "c", "d"];
  const all = (value: number): Commit => ({
    checks: [],
    mutations: keys.flatMap((key) => setting(key, value).mutations),
  });
  await commitAll(adapter, all(0));
  for (let i = 1; i <= 300; i++) {
    const written = commitAll(adapter, all(i));
    for (let looks = 0; looks < 20; looks++) {
      const entries = await adapter.read(ROOT, keys);
      expect(new Set(entries.map((entry) => entry?.payload)).size).toBe(1);
    }
    await written;
  }
});
