import { type Change, createStore, fallback, forward, Refusal, type Store } from "@kv/core";
import { memory } from "@kv/memory";
import { sqlite } from "@kv/sqlite";
import { describe, expect, it } from "vitest";
import { collected } from "./collected.ts";
import { controlled, keeping, unavailable } from "./controlled.ts";

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(condition()).toBe(true);
}

function degrading(options: { readonly to?: "nothing" } = {}) {
  const inner = keeping(memory());
  const backend = controlled(inner);
  const states: string[] = [];
  const secondary = keeping(memory());
  const store = createStore(backend.adapter, {
    middleware: [
      fallback({
        mode: "degrade",
        to: options.to ?? secondary,
        probe: "10ms",
        after: "100ms",
        onChange: (state, code) => states.push(code === undefined ? state : `${state} ${code}`),
      }),
    ],
  });
  return { inner, backend, states, secondary, store };
}

async function reached(store: Store): Promise<unknown[]> {
  return collected(store.keys());
}

describe("fallback that degrades", () => {
  it("serves from the other adapter while the backend is down, and comes back by itself", async () => {
    const { backend, states, store } = degrading();
    await store.set("a", 1);
    backend.failure = unavailable();
    expect(await store.get("a")).toBeUndefined();
    expect(states).toEqual(["down KV_UNAVAILABLE"]);
    await store.set("b", 2);
    expect(await store.increment("n")).toBe(1);
    expect(await store.increment("n")).toBe(2);
    expect(await reached(store)).toEqual(["b", "n"]);
    expect(await store.count()).toBe(2);
    const calls = backend.calls.filter((call) => call === "commit").length;
    await store.set("c", 3);
    expect(backend.calls.filter((call) => call === "commit").length).toBe(calls);
    backend.failure = undefined;
    await until(() => states.length === 2);
    expect(states[1]).toBe("up");
    expect(await reached(store)).toEqual(["a"]);
    await store.close();
  });

  it("begins where the backend is down from the start", async () => {
    const { backend, states, store } = degrading();
    backend.failure = unavailable();
    expect(await store.create("k", "of the outage")).toBeDefined();
    expect(await store.get("k")).toBe("of the outage");
    backend.failure = undefined;
    await until(() => states.includes("up"));
    expect(await store.get("k")).toBeUndefined();
    await store.set("k", "of the backend");
    await store.close();
    expect(backend.calls.at(-1)).toBe("commit");
  });

  it("does not wait for a backend that never answers", async () => {
    const { backend, states, store } = degrading();
    await store.set("a", 1);
    backend.silent = true;
    const start = performance.now();
    expect(await store.get("a")).toBeUndefined();
    expect(await store.get("a")).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(1000);
    expect(states).toEqual(["down KV_TIMEOUT"]);
    backend.silent = false;
    await until(() => states.includes("up"));
    expect(await store.get("a")).toBe(1);
  });

  it("passes on what is no outage", async () => {
    const { backend, states, store } = degrading();
    await store.set("a", 1);
    backend.failure = new Refusal("KV_CAPACITY", "full");
    await expect(store.set("b", 1)).rejects.toMatchObject({ code: "KV_CAPACITY" });
    backend.failure = undefined;
    expect(states).toEqual([]);
    expect(await store.get("a")).toBe(1);
  });

  it("stands in for no backend that another process holds, unless it is told to", async () => {
    const held = () => new Refusal("KV_UNAVAILABLE", "held by process 1", { held: true });
    const { backend, states, store } = degrading();
    backend.failure = held();
    await expect(store.get("a")).rejects.toMatchObject({ code: "KV_UNAVAILABLE", retryable: true });
    await expect(store.set("a", 1)).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    expect(states).toEqual([]);
    backend.failure = undefined;
    await store.set("a", 1);
    expect(await store.get("a")).toBe(1);
    await store.close();
    const anyway = controlled(memory());
    const caching = createStore(anyway.adapter, {
      middleware: [fallback({ mode: "degrade", to: memory(), when: (code) => code === "KV_UNAVAILABLE" })],
    });
    anyway.failure = held();
    await caching.set("a", 2);
    expect(await caching.get("a")).toBe(2);
    await caching.close();
  });

  it("can be told what an outage is", async () => {
    const backend = controlled(memory());
    const store = createStore(backend.adapter, {
      middleware: [fallback({ mode: "degrade", to: memory(), when: (code) => code === "KV_BACKEND" })],
    });
    await store.set("a", 1);
    backend.failure = new Error("LOADING");
    expect(await store.get("a")).toBeUndefined();
    await store.close();
  });

  it("begins a scan elsewhere, but does not go on with one", async () => {
    const { backend, store } = degrading();
    await store.set("a", 1);
    backend.failure = unavailable();
    expect(await reached(store)).toEqual([]);
  });

  it("makes elsewhere the commits that failed because of the outage, and only those", async () => {
    const inner = memory();
    const secondary = memory();
    const store = createStore(
      forward(inner, {
        commit: async (namespace, commits) => {
          const results = [];
          for (const commit of commits) {
            const down = commit.mutations.some(({ key }) => key === "down");
            if (down) results.push({ status: "error", error: unavailable() } as const);
            else results.push(...(await inner.commit(namespace, [commit])));
          }
          return results;
        },
      }),
      { middleware: [fallback({ mode: "degrade", to: secondary })] },
    );
    await store.get("open");
    await store.setMany([
      ["up", 1],
      ["down", 2],
    ]);
    const read = async (adapter: typeof inner) =>
      (await adapter.read({ path: [], id: "" }, ["up", "down"])).map((entry) => entry?.payload);
    expect(await read(inner)).toEqual([1, undefined]);
    expect(await read(secondary)).toEqual([undefined, 2]);
    await store.close();
  });

  it("tells watchers to look again at each change, and of what is written meanwhile", async () => {
    const { backend, states, store } = degrading();
    await store.set("a", 1);
    const seen: string[] = [];
    const note = (change: Change<unknown>): void => {
      seen.push("key" in change && change.key !== undefined ? `${change.type} ${change.key}` : change.type);
    };
    const early = await store.subscribe(note);
    backend.failure = unavailable();
    await store.set("b", 1);
    const late: string[] = [];
    await store.subscribe((change) => late.push(change.type));
    await store.set("c", 1);
    backend.failure = undefined;
    await until(() => states.includes("up"));
    await store.set("d", 1);
    await until(() => seen.includes("set d"));
    expect(seen).toEqual(["resync", "set b", "set c", "resync", "set d"]);
    expect(late).toEqual(["set", "resync", "set"]);
    early.unsubscribe();
    await store.close();
  });

  it.each([
    ["text over values", () => sqlite({ path: ":memory:" }), () => memory()],
    ["values over text", () => memory(), () => sqlite({ path: ":memory:" })],
  ])("stands in for an adapter of the other form: %s", async (_, primary, secondary) => {
    const backend = controlled(primary());
    const to = secondary();
    const store = createStore(backend.adapter, { middleware: [fallback({ mode: "degrade", to })] });
    backend.failure = unavailable();
    const value = { text: "1", list: [1, null], nested: { yes: true } };
    await store.set("value", value);
    await store.set("text", "1");
    await store.set("bytes", new Uint8Array([1, 2]));
    await store.set("n", 1);
    expect(await store.increment("n", 1.5)).toBe(2.5);
    await expect(store.increment("text")).rejects.toMatchObject({ code: "KV_INVALID_VALUE" });
    expect(await store.getMany(["value", "text", "bytes", "n"])).toEqual([
      value,
      "1",
      new Uint8Array([1, 2]),
      2.5,
    ]);
    expect((await collected(store.values())).length).toBe(4);
    // It holds them as its own stores would.
    const direct = createStore(forward(to, { open: () => undefined, close: () => undefined }));
    expect(await direct.get("value")).toEqual(value);
    await store.close();
  });

  it("promises no more than both adapters do", () => {
    const adapter = fallback({ mode: "degrade", to: memory() })(sqlite({ path: "unused.db" }));
    expect(adapter.capabilities).toMatchObject({
      persistent: false,
      shared: false,
      ordered: true,
      atomic: "namespace",
      linearizable: false,
    });
  });

  it("finds and keeps nothing where it is told so", async () => {
    const { backend, states, store } = degrading({ to: "nothing" });
    await store.set("a", 1);
    backend.failure = unavailable();
    expect(await store.get("a")).toBeUndefined();
    expect(await store.set("b", 1)).not.toBe(await store.set("b", 2));
    expect(await store.increment("n", 5)).toBe(5);
    expect(await store.create("lock", 1)).toBeDefined();
    expect(await store.delete("b")).toBe(false);
    expect(await store.updateTtl("b", 5)).toBe(false);
    expect(await store.replace("b", 1, { revision: "any" })).toBeUndefined();
    expect(await reached(store)).toEqual([]);
    expect(await store.stats()).toMatchObject({ keys: 0 });
    backend.failure = undefined;
    await until(() => states.includes("up"));
    expect(await reached(store)).toEqual(["a"]);
  });
});

describe("fallback that fails", () => {
  it("passes failures on, tells of them, and asks the backend each time", async () => {
    const backend = controlled(memory());
    const states: string[] = [];
    const store = createStore(backend.adapter, {
      middleware: [
        fallback({
          mode: "fail",
          onChange(state, code) {
            states.push(`${state} ${code ?? ""}`);
            throw new Error("of the test");
          },
        }),
      ],
    });
    await store.set("a", 1);
    backend.failure = unavailable();
    await expect(store.get("a")).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    await expect(store.set("a", 2)).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    backend.failure = undefined;
    expect(await store.get("a")).toBe(1);
    expect(states).toEqual(["down KV_UNAVAILABLE", "up "]);
    expect(store.capabilities.linearizable).toBe(true);
  });
});
