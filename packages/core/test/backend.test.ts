import { backendOf, createStore, forward, type KvError } from "@kv/core";
import { describe, expect, it } from "vitest";
import { FakeAdapter } from "./fake-adapter.ts";

describe("the backend of a store", () => {
  it("is the adapter that the store was made over, middleware aside, with the view's namespace and prefix", () => {
    const adapter = new FakeAdapter();
    const store = createStore(adapter, { middleware: [(inner) => forward(inner)] });
    const backend = backendOf(store.namespace("n").scope("s").readonly());
    expect(backend.adapter).toBe(adapter);
    expect(backend.namespace.path).toEqual(["n"]);
    expect(backend.prefix).toBe("s:");
    expect(() => backendOf({} as typeof store)).toThrow("a store that createStore has made");
  });

  it("runs what it is given as an operation of the store: opened, in order, with its keys as stored", async () => {
    const later = (effect: () => void) =>
      new Promise<void>((resolve) => setTimeout(() => resolve(effect()), 5));
    const adapter = new FakeAdapter({
      open: () => later(() => undefined),
      schedule: (effect) => new Promise((resolve) => setTimeout(() => resolve(effect()), 5)),
    });
    const store = createStore(adapter).scope("s");
    const written = store.set("k", 1).then(() => "written");
    const ran = backendOf(store).run({ operation: "look", keys: ["k"], writes: false }, async (keys) => {
      expect(await Promise.race([written, "not yet"])).toBe("written");
      return keys;
    });
    expect(await ran).toEqual(["s:k"]);
  });

  it("wraps what it throws, and refuses bad keys, and writes of what only reads", async () => {
    const store = createStore(new FakeAdapter());
    const call = { operation: "link", keys: ["k"], writes: true };
    const codeOf = (promise: Promise<unknown>) =>
      promise.catch((error: KvError) => [error.code, error.operation]);
    const fail = () => Promise.reject(new Error("no"));
    expect(await codeOf(backendOf(store).run(call, fail))).toEqual(["KV_BACKEND", "link"]);
    expect(await codeOf(backendOf(store).run({ ...call, keys: [""] }, fail))).toEqual([
      "KV_INVALID_KEY",
      "link",
    ]);
    expect(await codeOf(backendOf(store.readonly()).run(call, fail))).toEqual(["KV_READ_ONLY", "link"]);
    await store.close();
    expect(await codeOf(backendOf(store).run(call, fail))).toEqual(["KV_CLOSED", "link"]);
  });
});
