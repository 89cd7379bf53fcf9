import assert from "node:assert/strict";
import type { Change } from "@kv/core";
import { forward } from "@kv/core";
import { collect } from "../../assertions/contents.ts";
import { eventually, watched } from "../../assertions/watched.ts";
import type { Case } from "../../suite/chapter.ts";

/** How watching ends, and what does not end it. */
export const watchEnds: readonly Case[] = [
  {
    title: "unsubscribe is idempotent, and no call of the callback begins after it",
    async run({ store, settle }) {
      const seen = await watched(store);
      await store.set("a", 1);
      await seen.until((all) => all.length === 1);
      seen.stop();
      seen.stop();
      await store.set("b", 2);
      await settle();
      assert.equal(seen.changes.length, 1);
    },
  },
  {
    title: "unsubscribing within the callback is enough",
    async run({ store, settle }) {
      let calls = 0;
      const subscription = await store.subscribe(() => {
        calls += 1;
        subscription.unsubscribe();
      });
      await store.setMany([
        ["a", 1],
        ["b", 2],
        ["c", 3],
      ]);
      await settle();
      assert.equal(calls, 1);
    },
  },
  {
    title: "a callback that throws or rejects stops nobody else, nor itself",
    async run({ store }) {
      const calls: string[] = [];
      const subscriptions = [
        await store.subscribe(() => {
          calls.push("throws");
          throw new Error("in a callback of the conformance suite, on purpose");
        }),
        await store.subscribe(async () => {
          calls.push("rejects");
          throw new Error("in a callback of the conformance suite, on purpose");
        }),
      ];
      const seen = await watched(store);
      await store.set("a", 1);
      await store.set("b", 2);
      await seen.until((all) => all.length === 2);
      await store.set("c", 3);
      await seen.until((all) => all.length === 3);
      await new Promise((resolve) => setTimeout(resolve, 5));
      assert.ok(calls.filter((call) => call === "throws").length >= 2, calls.join());
      assert.ok(calls.filter((call) => call === "rejects").length >= 2, calls.join());
      for (const subscription of subscriptions) subscription.unsubscribe();
      seen.stop();
    },
  },
  {
    title: "a callback that takes its time holds up no writer and no other watcher",
    async run({ store }) {
      const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
      const slow = await store.subscribe(() => finished);
      const seen = await watched(store);
      for (let round = 0; round < 20; round++) await store.set("k", round);
      await seen.until((all) => all.at(-1)?.value === 19);
      finish();
      slow.unsubscribe();
      seen.stop();
    },
  },
  {
    title: "a watcher may write to the store that it watches",
    async run({ store }) {
      const subscription = await store.subscribe(async (change) => {
        if (change.key === "question") await store.set("answer", 42);
      });
      const seen = await watched(store, { prefix: "answer" });
      await store.set("question", "?");
      await seen.until((all) => all.length === 1);
      subscription.unsubscribe();
      seen.stop();
    },
  },
  {
    title: "a watch ends when its signal is aborted",
    async run({ store }) {
      const controller = new AbortController();
      const changes = collect(store.watch({ signal: controller.signal }));
      const waiting = store.watch({ signal: controller.signal });
      const next = waiting.next();
      await store.has("opened");
      setTimeout(() => controller.abort(), 5);
      assert.deepEqual(await changes, []);
      assert.equal((await next).done, true);
    },
  },
  {
    title: "a subscription ends when its signal is aborted",
    async run({ store, settle }) {
      const controller = new AbortController();
      const seen = await watched(store, { signal: controller.signal });
      await store.set("a", 1);
      await seen.until((all) => all.length === 1);
      controller.abort();
      await store.set("b", 2);
      await settle();
      assert.equal(seen.changes.length, 1);
      seen.stop();
    },
  },
  {
    title: "leaving the loop of a watch ends it",
    async run({ store }) {
      const changes = store.watch();
      await store.has("opened");
      // Repeatedly, because a shared backend may take a while to register the watcher.
      const writing = setInterval(() => void store.set("k", 1).catch(() => undefined), 5);
      const seen: Change<unknown>[] = [];
      for await (const change of changes) {
        seen.push(change);
        break;
      }
      clearInterval(writing);
      assert.equal(seen.length, 1);
      assert.equal((await changes.next()).done, true);
      await store.set("k", 2);
    },
  },
  {
    title: "return ends a watch whose next is still waiting",
    async run({ store }) {
      const changes = store.watch();
      const waiting = changes.next();
      await store.has("opened");
      await changes.return?.();
      assert.equal((await waiting).done, true);
    },
  },
  {
    title: "watchers that have ended cost the backend nothing: each is taken off it",
    async run({ open }) {
      let on = 0;
      const { store } = open({}, (inner) => {
        const { watch } = inner;
        if (watch === undefined) return inner;
        return forward(inner, {
          async watch(namespace, bounds, listener) {
            const off = await watch(namespace, bounds, listener);
            on += 1;
            return () => {
              on -= 1;
              off();
            };
          },
        });
      });
      const controller = new AbortController();
      const subscription = await store.subscribe(() => undefined);
      await store.subscribe(() => undefined, { signal: controller.signal });
      const changes = store.watch();
      await eventually(() => on, 3);
      subscription.unsubscribe();
      subscription.unsubscribe();
      controller.abort();
      await changes.return?.();
      await eventually(() => on, 0);
    },
  },
];
