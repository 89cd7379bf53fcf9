import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Commit, createStore, forward, type Store } from "@kv/core";
import { expect, it } from "vitest";
import { FakeAdapter } from "../fake-adapter.ts";

setFlagsFromString("--expose-gc");
const collect: (options: { type: "minor" }) => void = runInNewContext("gc");

const BYTES = 2048;
const ROUNDS = 40;
const ROUND = 50;

/** Bytes in the old generation of the heap, to which objects move that survive two scavenges. */
function oldBytes(): number {
  const old = getHeapSpaceStatistics().filter(({ space_name }) => space_name === "old_space");
  return old.reduce((bytes, { space_used_size }) => bytes + space_used_size, 0);
}

/** Bytes that a write leaves behind in the old generation. */
async function leftBehind(
  store: Store,
  write: (store: Store, n: number) => Promise<unknown>,
): Promise<number> {
  const round = async () => {
    for (let i = 0; i < ROUND; i++) {
      await write(store, i);
      if (i % 10 === 0) collect({ type: "minor" });
    }
  };
  // Code is compiled, and tables grow to their size, before the measurement.
  for (let i = 0; i < ROUNDS; i++) await round();
  // All existing objects are promoted, and objects that they reference from now on would stay with them.
  for (let i = 0; i < 3; i++) collect({ type: "minor" });
  const grown: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const before = oldBytes();
    await round();
    grown.push(oldBytes() - before);
  }
  // The median: the whole heap may be collected meanwhile, and the process is shared with what other test files left.
  return (grown.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? 0) / ROUND;
}

/** It keeps nothing, so that every object kept is kept by the front. */
function forgetful(late: boolean): Store {
  const results = (count: number) =>
    Array.from({ length: count }, () => ({ status: "ok", outcomes: [{ revision: "1" }] }) as const);
  return createStore(
    forward(new FakeAdapter(), {
      commit: (_, commits) => {
        const all = results(commits.length);
        return late ? new Promise((resolve) => setImmediate(resolve, all)) : all;
      },
    }),
  );
}

it.each([
  ["at once", false],
  ["later", true],
])("a write that was answered %s is not kept alive by those after it", async (_, late) => {
  const store = forgetful(late);
  const one = await leftBehind(store, (to, n) => to.set(`key ${n}`, `${n} `.padEnd(BYTES, "x")));
  expect(one).toBeLessThan(BYTES / 4);
  await store.close();
});

it("what an adapter was handed stays as it was after it was given up", async () => {
  let handed: readonly Commit[] = [];
  const store = createStore(
    forward(new FakeAdapter(), {
      commit: (_, commits) => {
        handed = commits;
        return new Promise(() => undefined);
      },
    }),
    { timeout: "20ms" },
  );
  await expect(store.set("k", 1)).rejects.toMatchObject({ code: "KV_TIMEOUT" });
  expect(handed.map(({ mutations }) => mutations[0]?.key)).toEqual(["k"]);
});
