import { createStore, forward, KvError, type Store } from "@kv/core";
import { describe, expect, it } from "vitest";
import { FakeAdapter } from "../fake-adapter.ts";

const TIMEOUT_MS = 600;
/** Less than two timeouts one after the other, and room for a busy machine. */
const TOGETHER_MS = 2 * TIMEOUT_MS - 20;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

interface Silence {
  readonly store: Store;
  /** Commits that reached the backend, by the key of their first mutation. */
  readonly begun: string[];
  readonly release: () => void;
}

/** A backend that answers nothing, from the first write of the key `"stuck"` on until it is released. */
function silent(batch = true, open?: () => Promise<void>): Silence {
  const begun: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  let isSilent = false;
  const inner = new FakeAdapter({ batch: { read: batch, commit: batch } });
  const answered = async <T>(run: () => T | Promise<T>): Promise<T> => {
    if (isSilent) await promise;
    return run();
  };
  const adapter = forward(inner, {
    ...(open === undefined ? undefined : { open }),
    read: (namespace, keys) => answered(() => inner.read(namespace, keys)),
    commit: (namespace, commits) => {
      for (const { mutations } of commits) begun.push(mutations[0]?.key ?? "");
      isSilent ||= begun.includes("stuck");
      return answered(() => inner.commit(namespace, commits));
    },
    count: (...args) => answered(() => inner.count(...args)),
    clear: (...args) => answered(() => inner.clear(...args)),
    stats: (...args) => answered(() => inner.stats(...args)),
    close: () => answered(() => undefined),
    async *scan(namespace, range) {
      yield* await answered(() => inner.scan(namespace, range));
    },
  });
  const store = createStore(adapter, { timeout: TIMEOUT_MS / 1000 });
  return { store, begun, release: resolve };
}

async function codes(calls: readonly Promise<unknown>[]): Promise<string[]> {
  const outcomes = await Promise.allSettled(calls);
  return outcomes.map((outcome) => {
    if (outcome.status === "fulfilled") return "answered";
    const { reason } = outcome;
    return KvError.is(reason) ? `${reason.code}${reason.retryable ? ", retryable" : ""}` : String(reason);
  });
}

async function elapsed(run: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await run();
  return performance.now() - began;
}

describe.each([
  ["in batches", true],
  ["at once", false],
])("calls that are handed over %s, behind one that is not answered", (_, batch) => {
  it("are all given up after the timeout, since their calls", async () => {
    const { store } = silent(batch);
    const ms = await elapsed(async () => {
      const first = codes([store.set("stuck", 1)]);
      await new Promise((resolve) => setImmediate(resolve));
      const waiting = [
        store.set("stuck", 2),
        store.get("stuck"),
        store.update("stuck", () => 3),
        store.take("stuck"),
        store.increment("stuck"),
        store.transaction((tx) => tx.get("stuck")),
        store.count(),
        store.stats(),
        store.keys().next(),
        store.range(""),
        store.clear(),
        store.has("stuck"),
        store.listNamespaces(),
        store.set("stuck", 4),
      ];
      const told = await codes(waiting);
      expect(await first).toEqual(["KV_TIMEOUT"]);
      expect(new Set(told)).toEqual(new Set(["KV_TIMEOUT, retryable"]));
    });
    expect(ms).toBeLessThan(TOGETHER_MS);
  });

  it("are not begun afterwards", async () => {
    const { store, begun, release } = silent(batch);
    let ran = 0;
    const first = codes([store.set("stuck", 1)]);
    await new Promise((resolve) => setImmediate(resolve));
    const calls = [
      store.set("stuck", 2),
      store.update("stuck", () => ++ran),
      store.take("stuck"),
      store.setMany([
        ["stuck", 3],
        ["other", 3],
      ]),
      store.delete("stuck"),
    ];
    expect(new Set(await codes(calls))).toEqual(new Set(["KV_TIMEOUT, retryable"]));
    await first;
    release();
    await pause(50);
    expect(begun).toEqual(["stuck"]);
    expect(ran).toBe(0);
    await store.set("stuck", 5);
    expect(await store.get("stuck")).toBe(5);
    expect(await store.get("other")).toBeUndefined();
  });
});

it("what was called while others waited has a time of its own", async () => {
  const { store } = silent();
  const first = codes([store.set("stuck", 1)]);
  await new Promise((resolve) => setImmediate(resolve));
  const next = codes([store.set("stuck", 2)]);
  await pause(TIMEOUT_MS / 2);
  let late = false;
  const second = codes([store.set("stuck", 3)]).finally(() => {
    late = true;
  });
  expect(await first).toEqual(["KV_TIMEOUT"]);
  expect(await next).toEqual(["KV_TIMEOUT, retryable"]);
  expect(late).toBe(false);
  // It was begun when the first was given up, and had half of its time left.
  expect(await second).toEqual(["KV_TIMEOUT"]);
});

it("the time of a call that waits for the opening runs meanwhile", async () => {
  const { store } = silent(true, () => pause(TIMEOUT_MS * 0.7));
  const ms = await elapsed(() => codes([store.set("stuck", 1), store.get("stuck"), store.count()]));
  expect(ms).toBeLessThan(TIMEOUT_MS * 1.6);
});

it("a call of several answers has the time anew from each of them", async () => {
  const inner = new FakeAdapter();
  const slow = forward(inner, {
    read: (namespace, keys) => pause(TIMEOUT_MS * 0.6).then(() => inner.read(namespace, keys)),
    commit: (...args) => pause(TIMEOUT_MS * 0.6).then(() => inner.commit(...args)),
  });
  const store = createStore(slow, { timeout: TIMEOUT_MS / 1000 });
  expect(await store.update("k", () => 1)).toBe(1);
  await store.setMany(Array.from({ length: 3000 }, (_, i) => [`k${i}`, i]));
});

it("a call that waits is begun after the event loop was blocked for longer than the timeout", async () => {
  const store = createStore(new FakeAdapter(), { timeout: 0.05 });
  const calls = [store.set("k", 1), store.update("k", (value) => Number(value) + 1), store.get("k")];
  for (const end = performance.now() + 150; performance.now() < end; );
  expect((await Promise.all(calls)).slice(1)).toEqual([2, 2]);
});

it("closing takes no longer, whatever waits", async () => {
  const { store } = silent();
  const calls = [store.set("stuck", 1), store.set("stuck", 2), store.update("stuck", () => 3)];
  const settled = codes(calls);
  await pause(TIMEOUT_MS / 3);
  const ms = await elapsed(() => codes([store.close()]));
  expect(ms).toBeLessThan(TOGETHER_MS);
  await settled;
});

it("no call has a limit where there is none", async () => {
  const { store, release } = silent();
  const patient = createStore(forward(new FakeAdapter(), { read: () => new Promise(() => undefined) }), {
    timeout: null,
  });
  void patient.get("k");
  const calls = codes([store.set("stuck", 1), store.set("stuck", 2)]);
  release();
  expect(await calls).toEqual(["answered", "answered"]);
});

it("what comes when all before it were given up is still waited for by closing", async () => {
  const { promise: page, resolve: turn } = Promise.withResolvers<void>();
  const isClosed = { yet: false };
  const inner = new FakeAdapter();
  const adapter = forward(inner, {
    // A clear of several steps, each of which has the full time again.
    async *scan() {
      for (let i = 0; i < 2; i++) {
        await pause(TIMEOUT_MS * 0.7);
        yield [];
      }
      await page;
    },
    commit: async (namespace, commits) => {
      await pause(50);
      if (isClosed.yet) throw new Error("the backend was closed");
      return inner.commit(namespace, commits);
    },
    close: () => {
      isClosed.yet = true;
    },
  });
  const store = createStore(adapter, { timeout: TIMEOUT_MS / 1000 });
  await store.set("before", 0);
  const clearing = store.clear({ limit: 5 });
  await new Promise((resolve) => setImmediate(resolve));
  expect(await codes([store.set("a", 1)])).toEqual(["KV_TIMEOUT, retryable"]);
  const later = codes([store.set("b", 1)]);
  await pause(TIMEOUT_MS * 0.2);
  turn();
  const closing = store.close();
  expect(await later).toEqual(["answered"]);
  await Promise.all([clearing, closing]);
});
