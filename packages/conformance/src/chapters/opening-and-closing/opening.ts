import assert from "node:assert/strict";
import { createStore, forward, json, KvError } from "@kv/core";
import { recorder, stall } from "../../assertions/between-store-and-adapter.ts";
import type { Case } from "../../suite/chapter.ts";
import { refusal, rejectionOf } from "../../suite/refusal.ts";

export const opening: readonly Case[] = [
  {
    title: "createStore is synchronous and does no I/O",
    async run({ open }) {
      const { calls, between } = recorder();
      open({}, between);
      await new Promise((resolve) => setTimeout(resolve, 5));
      assert.deepEqual(calls, []);
    },
  },
  {
    title: "the first operation opens the adapter, and no later one does",
    async run({ open }) {
      const { calls, between } = recorder();
      const { store } = open({}, between);
      await store.set("k", 1);
      await store.get("k");
      assert.equal(calls[0], "open");
      assert.equal(calls.filter((call) => call === "open").length, 1);
    },
  },
  {
    title: "concurrent first operations share one open",
    async run({ open }) {
      const { calls, between } = recorder();
      const { root, store } = open({}, between);
      await Promise.all([
        store.set("a", 1),
        store.get("b"),
        store.count(),
        root.has("c"),
        store.keys().next(),
      ]);
      assert.equal(calls.filter((call) => call === "open").length, 1);
    },
  },
  {
    title: "a failed open rejects the operations that waited for it, and the next one tries again",
    async run({ open, adapter }) {
      const failure = new Error("the cellar is flooded");
      let attempts = 0;
      const { store } = open({}, (inner) =>
        forward(inner, {
          open: () => {
            attempts += 1;
            return attempts === 1 ? Promise.reject(failure) : inner.open();
          },
        }),
      );
      const [one, other] = await Promise.all([
        rejectionOf(() => store.set("a", 1)),
        rejectionOf(() => store.get("b")),
      ]);
      for (const error of [one, other]) {
        assert.ok(KvError.is(error), String(error));
        assert.equal(error.cause, failure);
        assert.equal(error.adapter, adapter.name);
      }
      assert.equal(attempts, 1);
      await store.set("a", 2);
      assert.equal(await store.get("a"), 2);
      assert.equal(attempts, 2);
    },
  },
  {
    title: "an open that throws synchronously is a rejection, too",
    async run({ open }) {
      const failure = new Error("no such file");
      const { store } = open({}, (inner) =>
        forward(inner, {
          open: () => {
            throw failure;
          },
        }),
      );
      const error = await rejectionOf(() => store.get("k"));
      assert.ok(KvError.is(error), String(error));
      assert.equal(error.cause, failure);
    },
  },
  {
    title: "an unknown option of createStore is thrown as KV_INVALID_OPTION that lists the known ones",
    async run({ adapter }) {
      assert.throws(
        () => createStore(adapter, { defaultTTL: 60 } as never),
        (error: unknown) =>
          KvError.is(error, "KV_INVALID_OPTION") &&
          error.message.includes("defaultTTL") &&
          error.message.includes("defaultTtl") &&
          error.message.includes(adapter.name),
      );
    },
  },
  {
    title: "an impossible option of createStore is thrown as KV_INVALID_OPTION or KV_INVALID_TTL",
    async run({ adapter }) {
      const impossible: unknown[] = [
        { timeout: -1 },
        { timeout: "soon" },
        { codec: "json" },
        { defaultTtl: "5 minutes" },
        { onCorrupt: "ignore" },
        1,
        null,
      ];
      for (const options of impossible) {
        assert.throws(
          () => createStore(adapter, options as never),
          (error: unknown) => KvError.is(error, "KV_INVALID_OPTION") || KvError.is(error, "KV_INVALID_TTL"),
          `accepted ${JSON.stringify(options)}`,
        );
      }
    },
  },
  {
    title: "an option of createStore that is undefined is one not given",
    async run({ open }) {
      const { store } = open({
        defaultTtl: undefined,
        timeout: undefined,
        codec: undefined,
        onCorrupt: undefined,
      });
      await store.set("k", 1);
      assert.equal((await store.getMetadata("k"))?.expiresAt, undefined);
    },
  },
  {
    title:
      "an operation that the backend does not answer rejects with KV_TIMEOUT: worth a retry unless it writes",
    async run({ store: patient, open, adapter }) {
      // The patient store closes the adapter in the end, which may exceed the short timeout.
      await patient.has("opened");
      const backend = stall();
      const { store } = open({ codec: json, timeout: 0.05 }, backend.between);
      await patiently(() => store.set("k", 1));
      backend.begin();
      const calls = [
        () => store.get("k"),
        () => store.set("k", 2),
        () => store.count(),
        () => store.keys().next(),
        () => store.clear(),
        () => store.stats(),
      ];
      await Promise.all(calls.map((call) => refusal(call, { code: "KV_TIMEOUT", adapter: adapter.name })));
      const error = await rejectionOf(() => store.get("k"));
      assert.ok(KvError.is(error) && error.retryable);
      for (const write of [() => store.increment("k"), () => store.set("k", 3), () => store.clear()]) {
        const doubt = await rejectionOf(write);
        assert.ok(KvError.is(doubt, "KV_TIMEOUT") && !doubt.retryable);
      }
      backend.end();
    },
  },
  {
    title: "when the backend answers again the same store works",
    async run({ store: patient, open }) {
      await patient.has("opened");
      const backend = stall();
      const { store } = open({ timeout: 0.05 }, backend.between);
      await patiently(() => store.set("k", 1));
      backend.begin();
      await rejectionOf(() => store.get("k"));
      backend.end();
      await patiently(() => store.set("k", 3));
      assert.equal(await patiently(() => store.get("k")), 3);
    },
  },
];

/** Repeats an operation that timed out: on a busy machine, a healthy backend may exceed a short timeout. */
async function patiently<T>(operation: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await operation();
    } catch (error) {
      if (attempts === 100 || !KvError.is(error, "KV_TIMEOUT")) throw error;
    }
  }
}
