import {
  type Adapter,
  bounded,
  type Commit,
  compression,
  createStore,
  forward,
  KvError,
  logging,
  type Middleware,
  sizeLimit,
  viewAccess,
} from "@kv/core";
import { describe, expect, it } from "vitest";
import { FakeAdapter } from "./fake-adapter.ts";

/** An adapter with a `native` of its own, whose payloads are fetched only on access. */
function lazy(): Adapter & { fetched: number } {
  const inner = new FakeAdapter();
  const adapter = Object.assign(
    forward(inner, {
      native: "something of its own",
      batch: { read: true, commit: true },
      read(namespace, keys) {
        adapter.fetched++;
        return inner.read(namespace, keys);
      },
      peek: (namespace, keys) => inner.read(namespace, keys),
    }),
    { fetched: 0 },
  );
  return adapter;
}

const setting = (key: string, value: unknown): Commit => ({
  checks: [],
  mutations: [
    {
      type: "set",
      key,
      payload: JSON.stringify(value),
      encoding: "json",
      expiresAt: undefined,
      policy: "persist",
      user: undefined,
    },
  ],
});

describe("peek", () => {
  it("answers has and getMetadata without payloads, after the writes that were called before", async () => {
    const adapter = lazy();
    const store = createStore(adapter);
    const [, there, metadata, absent] = await Promise.all([
      store.set("k", 1, { metadata: { by: "me" } }),
      store.has("k"),
      store.getMetadata("k"),
      store.has("absent"),
    ]);
    expect([there, metadata?.user, absent]).toEqual([true, { by: "me" }, false]);
    expect(adapter.fetched).toBe(0);
    expect(await store.get("k")).toBe(1);
    expect(adapter.fetched).toBe(1);
    await store.close();
  });
});

describe("viewAccess", () => {
  it("operates on the keys of its view, opens first, and commits in the order of the calls", async () => {
    const store = createStore(lazy());
    const view = store.namespace("a").scope("s");
    const access = viewAccess(view);
    const slow = view.set("k", 1);
    const seen = await access.operate({ operation: "link", key: "k", writes: true }, async (stored) => {
      await access.settled();
      const [entry] = await access.call(async () => access.adapter.read(access.namespace, [stored]));
      const second = access.commit(setting(stored, 2));
      const third = view.set("k", 3);
      await Promise.all([second, third]);
      return { stored, payload: entry?.payload };
    });
    await slow;
    expect(seen).toEqual({ stored: "s:k", payload: "1" });
    expect(await view.get("k")).toBe(3);
    await store.close();
  });

  it("refuses bad keys, read-only views, aborted signals and closed stores, and names the operation in every failure", async () => {
    const store = createStore(lazy());
    const run = () => Promise.reject(new Error("it broke"));
    const operate = (what: object, view: Parameters<typeof viewAccess>[0] = store) =>
      viewAccess(view).operate({ operation: "link", ...what }, run);
    await expect(operate({ key: "" })).rejects.toMatchObject({ code: "KV_INVALID_KEY", operation: "link" });
    await expect(operate({ key: "k", writes: true }, store.readonly())).rejects.toMatchObject({
      code: "KV_READ_ONLY",
    });
    await expect(operate({ key: "k" }, store.readonly())).rejects.toMatchObject({
      code: "KV_BACKEND",
      key: "k",
    });
    await expect(operate({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "KV_ABORTED" });
    expect(viewAccess(store).error(new Error("late"), "link", "k")).toBeInstanceOf(KvError);
    await store.close();
    await expect(operate({})).rejects.toMatchObject({ code: "KV_CLOSED" });
  });

  it("runs what it is given as an operation of the store: opened, after the writes before it, with keys as stored", async () => {
    const later = <T>(effect: () => T) => new Promise<T>((resolve) => setTimeout(() => resolve(effect()), 5));
    const store = createStore(new FakeAdapter({ open: () => later(() => undefined), schedule: later }));
    const view = store.scope("s");
    const { run, prefix } = viewAccess(view);
    expect(prefix).toBe("s:");
    const written = view.set("k", 1).then(() => "written");
    const ran = run({ operation: "look", keys: ["k", "l"], writes: false }, async (keys) => {
      expect(await Promise.race([written, "not yet"])).toBe("written");
      return keys;
    });
    expect(await ran).toEqual(["s:k", "s:l"]);
    const order: string[] = [];
    await Promise.all([
      run({ operation: "link", keys: ["k", "l"], writes: true }, () => later(() => order.push("linked"))),
      view.get("l").then(() => order.push("read")),
    ]);
    expect(order).toEqual(["linked", "read"]);
    await store.close();
  });

  it("wraps what a run throws, and refuses bad keys, writes of what only reads, and what takes too long", async () => {
    const store = createStore(lazy(), { timeout: 0.01 });
    const outcome = (
      what: object,
      run = () => Promise.reject<never>(new Error("no")),
      view = store.readonly(),
    ) =>
      viewAccess(view)
        .run({ operation: "link", keys: ["k"], writes: false, ...what }, run)
        .catch((error: KvError) => error);
    expect(await outcome({})).toMatchObject({ code: "KV_BACKEND", operation: "link", key: "k" });
    expect(await outcome({ keys: ["k", ""] })).toMatchObject({ code: "KV_INVALID_KEY" });
    expect(await outcome({ writes: true })).toMatchObject({ code: "KV_READ_ONLY" });
    const never = () => new Promise<never>(() => undefined);
    expect(await outcome({ writes: true }, never, store)).toMatchObject({
      code: "KV_TIMEOUT",
      retryable: false,
    });
    await store.close();
    expect(await outcome({})).toMatchObject({ code: "KV_CLOSED" });
  });

  it("lets close wait for an operation, however long that takes", async () => {
    const store = createStore(lazy(), { timeout: 0.01 });
    let end = (): void => undefined;
    const running = viewAccess(store).operate(
      { operation: "pour" },
      () =>
        new Promise<string>((resolve) => {
          end = () => resolve("poured");
        }),
    );
    await store.has("k");
    let closed = false;
    const closing = store.close().then(() => {
      closed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(closed).toBe(false);
    end();
    expect(await running).toBe("poured");
    await closing;
  });

  it("shows what the backend is beyond the contract, unless a middleware changes or measures payloads", () => {
    const native = (...middleware: Middleware[]) =>
      viewAccess(createStore(lazy(), { middleware })).adapter.native;
    expect(native()).toBe("something of its own");
    expect(native(logging({ log: () => undefined }))).toBe("something of its own");
    for (const hiding of [compression(), sizeLimit({ maxValueBytes: 10 }), bounded({ maxEntries: 10 })])
      expect(native(hiding)).toBeUndefined();
  });

  it("is of stores alone", () => {
    expect(() => viewAccess({} as never)).toThrow(TypeError);
  });
});
