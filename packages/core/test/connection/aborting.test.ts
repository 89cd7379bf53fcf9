import { createStore, forward } from "@kv/core";
import { expect, it } from "vitest";
import { FakeAdapter } from "../fake-adapter.ts";

it("what was aborted while the adapter opened keeps no store from being closed", async () => {
  const opening = Promise.withResolvers<void>();
  const adapter = new FakeAdapter({ open: () => opening.promise });
  const store = createStore(adapter);
  const controller = new AbortController();
  const { signal } = controller;
  const calls = [
    store.set("k", 1, { signal }),
    store.setMany([["a", 1]], { signal }),
    store.getMany(["a", "b"], { signal }),
  ];
  controller.abort();
  for (const call of calls) await expect(call).rejects.toMatchObject({ code: "KV_ABORTED" });
  opening.resolve();
  await store.close();
  expect(adapter.calls).toEqual([]);
});

it("as many as one likes can be read and written with a signal", async () => {
  const store = createStore(new FakeAdapter());
  const { signal } = new AbortController();
  const keys = Array.from({ length: 200_000 }, (_, i) => `k${i}`);
  const revisions = await store.setMany(
    keys.map((key): [string, number] => [key, 1]),
    { signal },
  );
  expect(revisions).toHaveLength(keys.length);
  expect(await store.getMany(keys, { signal })).toHaveLength(keys.length);
  await store.close();
});

it("a scan that was left while it waited for a write is not begun", async () => {
  const written = Promise.withResolvers<void>();
  let scans = 0;
  const inner = new FakeAdapter({ schedule: (effect) => written.promise.then(effect) });
  const adapter = forward(inner, {
    scan(namespace, range) {
      scans++;
      return inner.scan(namespace, range);
    },
  });
  const store = createStore(adapter);
  const writing = store.set("k", 1);
  const keys = store.keys();
  const first = keys.next();
  await keys.return?.();
  written.resolve();
  await writing;
  expect(await first).toEqual({ done: true, value: undefined });
  expect(await keys.next()).toEqual({ done: true, value: undefined });
  expect(scans).toBe(0);
  await store.close();
});
