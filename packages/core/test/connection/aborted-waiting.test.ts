import { createStore, forward, type Store, structured, viewAccess } from "@kv/core";
import { expect, it } from "vitest";
import { FakeAdapter } from "../fake-adapter.ts";

interface Gated {
  readonly store: Store;
  readonly open: () => void;
}

/** Writes of a store whose first one is answered when the gate opens. */
function gated(): Gated {
  const inner = new FakeAdapter();
  const { promise, resolve } = Promise.withResolvers<void>();
  const adapter = forward(inner, {
    commit: async (...args) => promise.then(() => inner.commit(...args)),
  });
  return { store: createStore(adapter, { codec: structured }), open: resolve };
}

const CALLS: Record<string, (store: Store, signal: AbortSignal) => Promise<unknown>> = {
  set: (store, signal) => store.set("k", 2, { signal }),
  update: (store, signal) => store.update("k", () => 2, { signal }),
  "an asynchronous update": (store, signal) => store.update("k", async () => 2, { signal }),
  take: (store, signal) => store.take("k", { signal }),
  delete: (store, signal) => store.delete("k", { signal }),
  increment: (store, signal) => store.increment("k", 1, { signal }),
  clear: (store, signal) => store.clear({ signal }),
  clearCache: (store, signal) => store.clearCache({ signal }),
  "clear with a limit": (store, signal) => store.clear({ limit: 1, signal }),
  "a write of a package's own": (store, signal) =>
    viewAccess(store).run({ operation: "own", keys: ["k"], writes: true, signal }, async () => {
      throw new Error("it was begun");
    }),
};

it.each(Object.keys(CALLS))("%s is not begun where it was aborted while it waited", async (name) => {
  const { store, open } = gated();
  const first = store.set("k", 1, { policy: "evict" });
  await new Promise((resolve) => setTimeout(resolve, 1));
  const controller = new AbortController();
  const call = CALLS[name]?.(store, controller.signal);
  controller.abort();
  await expect(call).rejects.toMatchObject({ code: "KV_ABORTED" });
  open();
  await first;
  expect(await store.get("k")).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await store.get("k")).toBe(1);
});
