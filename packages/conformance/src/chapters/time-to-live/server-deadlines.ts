import assert from "node:assert/strict";
import { type Adapter, forward } from "@kv/core";
import type { Case } from "../../suite/chapter.ts";

const OFF_MS = 600_000;
const TTL_MS = 60_000;
/** Milliseconds that a busy machine may take for the whole case. */
const SLACK_MS = 30_000;

/** The adapter with a clock that is ten minutes behind until it is measured, like a server's clock. */
function unmeasured(inner: Adapter): Adapter {
  let known = false;
  return forward(inner, {
    clock: () => inner.clock() - (known ? 0 : OFF_MS),
    syncClock() {
      if (known) return inner.syncClock?.();
      return Promise.resolve(inner.syncClock?.()).then(() => {
        known = true;
      });
    },
  });
}

export const serverDeadlines: readonly Case[] = [
  {
    title:
      "a deadline is by the adapter's clock as it is once it was measured, also for the calls of the first tick",
    async run({ open, adapter }) {
      const { store } = open({}, unmeasured);
      const ttl = TTL_MS;
      const options = { ttl: `${ttl}ms` } as const;
      const [, read] = await Promise.all([
        store.set("set", 1, options),
        store.get("set"),
        store.setMany([["many", 1, options]]),
        store.create("created", 1, options),
        store.increment("counted", 1, options),
        store.update("updated", () => 1, options),
        store.transaction((tx) => tx.set("transacted", 1, options)),
        store.set("touched", 1),
        store.updateTtl("touched", options.ttl),
      ]);
      assert.equal(read, 1);
      for (const key of ["set", "many", "created", "counted", "updated", "transacted", "touched"]) {
        const { expiresAt } = (await store.getMetadata(key)) ?? {};
        const left = Number(expiresAt) - adapter.clock();
        assert.ok(left <= ttl + 1 && left > ttl - SLACK_MS, `${key} lasts ${left} ms of ${ttl}`);
      }
    },
  },
];
