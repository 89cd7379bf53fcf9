import { createStore, forward, type MaybePromise } from "@kv/core";
import { expect, it } from "vitest";
import { FakeAdapter } from "./fake-adapter.ts";

/** A store whose adapter registers a watcher when it is told to, and how many are on it. */
function slow(timeout: number) {
  const { promise: registering, resolve: register } = Promise.withResolvers<() => void>();
  const watchers = { taken: 0 };
  const adapter = forward(new FakeAdapter({ capabilities: { watch: "local" } }), {
    watch: (): MaybePromise<() => void> => registering,
  });
  return {
    store: createStore(adapter, { timeout }),
    watchers,
    register: () => register(() => void watchers.taken++),
  };
}

it("a watcher that is registered after it was given up is taken off the adapter", async () => {
  const { store, watchers, register } = slow(0.01);
  await expect(store.subscribe(() => undefined)).rejects.toMatchObject({ code: "KV_TIMEOUT" });
  register();
  await expect.poll(() => watchers.taken).toBe(1);
  await store.close();
  expect(watchers.taken).toBe(1);
});

it("a watch that was left before it was registered is taken off the adapter once", async () => {
  const { store, watchers, register } = slow(5);
  await store.watch().return?.();
  register();
  await expect.poll(() => watchers.taken).toBe(1);
  await store.close();
  expect(watchers.taken).toBe(1);
});
