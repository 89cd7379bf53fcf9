import assert from "node:assert/strict";
import { type Adapter, forward, KV_ERROR_CODES, KvError, type Middleware, type Store } from "@kv/core";
import { stall } from "../assertions/between-store-and-adapter.ts";
import { collect, contents } from "../assertions/contents.ts";
import { OPERATIONS } from "../model/random-operations.ts";
import type { Chapter } from "../suite/chapter.ts";
import { rejectionOf } from "../suite/refusal.ts";

/** A backend whose every call fails. */
function failing(error: unknown): Middleware {
  const fail = (): never => {
    throw error;
  };
  return (inner: Adapter) =>
    forward(inner, {
      read: fail,
      commit: fail,
      scan: fail,
      count: fail,
      clear: fail,
      namespaces: fail,
      stats: fail,
      sweep: fail,
    });
}

/** Whether a write is answered within the timeout. */
async function opened(store: Store): Promise<boolean> {
  try {
    await store.set("k", 0);
    return true;
  } catch (error) {
    if (KvError.is(error, "KV_TIMEOUT")) return false;
    throw error;
  }
}

export const errors: Chapter = {
  title: "errors",
  cases: [
    {
      title: "a KvError is an Error with code, operation, adapter, key, cause and retryable",
      async run({ store, adapter }) {
        const error = await rejectionOf(() => store.getOrThrow("k"));
        assert.ok(error instanceof KvError && error instanceof Error);
        assert.equal(error.name, "KvError");
        assert.equal(error.code, "KV_NOT_FOUND");
        assert.equal(error.operation, "getOrThrow");
        assert.equal(error.adapter, adapter.name);
        assert.equal(error.key, "k");
        assert.equal(error.cause, undefined);
        assert.equal(error.retryable, false);
        assert.ok(KV_ERROR_CODES.includes(error.code));
        assert.ok(KvError.is(error, "KV_NOT_FOUND") && !KvError.is(error, "KV_CLOSED"));
      },
    },
    {
      title: "a message says adapter, operation and key, with control characters made visible",
      async run({ store, adapter }) {
        const error = await rejectionOf(() => store.getOrThrow('a\0"b'));
        assert.ok(error instanceof KvError);
        for (const part of [adapter.name, "getOrThrow", JSON.stringify('a\0"b')])
          assert.ok(error.message.includes(part), error.message);
        assert.equal(error.message.includes("\0"), false);
        assert.equal(error.key, 'a\0"b');
      },
    },
    {
      title: "calls that wait for one which is not answered are given up with it, and never begun afterwards",
      async run({ open }) {
        const backend = stall();
        const timeout = 400;
        const { store, root } = open({ timeout: timeout / 1000 }, backend.between);
        // A backend may take longer than the timeout to open; its opening goes on meanwhile.
        for (let attempt = 0; attempt < 20; attempt++) if (await opened(store)) break;
        backend.begin();
        let ran = 0;
        const calls = [
          store.set("k", 1),
          store.set("k", 2, { signal: new AbortController().signal }),
          ...Array.from({ length: 4 }, () => store.update("k", () => ++ran)),
          store.get("k"),
          store.take("k"),
        ];
        const ended: number[] = [];
        const outcomes = await Promise.all(
          calls.map(async (call) => {
            const error = await rejectionOf(() => call);
            ended.push(performance.now());
            return error;
          }),
        );
        // Measured from the first one: a busy machine delays all of them.
        const apart = Math.max(...ended) - Math.min(...ended);
        assert.ok(apart < 1.5 * timeout, "each waited for the one before it");
        for (const error of outcomes) assert.ok(KvError.is(error, "KV_TIMEOUT"), String(error));
        // Calls that never began wrote nothing, and may be repeated.
        for (const error of outcomes.slice(2))
          assert.ok(error instanceof KvError && error.retryable, String(error));
        backend.end();
        await store.set("j", 1);
        assert.equal(ran, 0);
        await root.close();
      },
    },
    {
      title: "an error of the driver is wrapped once, and is the cause",
      async run({ open, adapter }) {
        const driver = new Error("ECHIDNA");
        const { store } = open({}, failing(driver));
        for (const { name, call } of OPERATIONS) {
          const error = await rejectionOf(() => call(store));
          assert.ok(error instanceof KvError, `${name}: ${String(error)}`);
          assert.equal(error.cause, driver, name);
          assert.equal(error.code, "KV_BACKEND", name);
          assert.equal(error.adapter, adapter.name);
          if (name !== "commit") assert.equal(error.operation, name);
          assert.ok(error.message.includes("ECHIDNA"), error.message);
        }
      },
    },
    {
      title: "an error that the adapter knows has the code that the adapter gives it",
      async run({ open }) {
        for (const code of [
          "KV_UNAVAILABLE",
          "KV_TIMEOUT",
          "KV_CAPACITY",
          "KV_READ_ONLY",
          "KV_CORRUPT",
        ] as const) {
          const { store } = open({}, (inner) =>
            forward(failing(new Error("known"))(inner), { errorCode: () => code }),
          );
          const error = await rejectionOf(() => store.set("k", 1));
          assert.ok(KvError.is(error, code), String(error));
          assert.equal(error.retryable, code === "KV_UNAVAILABLE" || code === "KV_TIMEOUT");
        }
      },
    },
    {
      title: "what an adapter throws that is no Error becomes a KvError, too",
      async run({ open }) {
        for (const thrown of ["text", undefined, null, 5, { code: "E" }]) {
          const { store } = open({}, failing(thrown));
          assert.ok(KvError.is(await rejectionOf(() => store.get("k"))), String(thrown));
          assert.ok(KvError.is(await rejectionOf(() => collect(store.keys()))), String(thrown));
        }
      },
    },
    {
      title: "an adapter's errorCode that throws hides no error",
      async run({ open }) {
        const driver = new Error("first");
        const { store } = open({}, (inner) =>
          forward(failing(driver)(inner), {
            errorCode: () => {
              throw new Error("second");
            },
          }),
        );
        const error = await rejectionOf(() => store.get("k"));
        assert.ok(KvError.is(error, "KV_BACKEND"));
        assert.equal(error.cause, driver);
      },
    },
    {
      title: "a password in an address appears in no message",
      async run({ open }) {
        const { store } = open({}, failing(new Error("cannot reach redis://ada:s3cr3t@db.example:6379/0")));
        const error = await rejectionOf(() => store.get("k"));
        assert.ok(error instanceof KvError);
        assert.equal(error.message.includes("s3cr3t"), false, error.message);
      },
    },
    {
      title: "one commit that fails by itself takes no other of its tick with it",
      async run({ open }) {
        const { store } = open({}, (inner) =>
          forward(inner, {
            async commit(namespace, commits) {
              const failure = new Error("this one");
              const fails = commits.map(({ mutations }) => mutations.some(({ key }) => key.endsWith("bad")));
              const results = await inner.commit(
                namespace,
                commits.filter((_, position) => !fails[position]),
              );
              const rest = [...results];
              return fails.map((failed) =>
                failed
                  ? { status: "error", error: failure }
                  : (rest.shift() ?? { status: "error", error: failure }),
              );
            },
          }),
        );
        const [good, bad, other] = await Promise.allSettled([
          store.set("good", 1),
          store.set("bad", 2),
          store.set("other", 3),
        ]);
        assert.deepEqual([good?.status, bad?.status, other?.status], ["fulfilled", "rejected", "fulfilled"]);
        assert.ok(
          bad?.status === "rejected" && KvError.is(bad.reason, "KV_BACKEND") && bad.reason.key === "bad",
        );
        assert.deepEqual(await contents(store), [
          ["good", 1],
          ["other", 3],
        ]);
      },
    },
    {
      title: "a failed read or write leaves the store as usable as before",
      async run({ open }) {
        let broken = true;
        const { store } = open({}, (inner) => {
          const bad = failing(new Error("for now"))(inner);
          return forward(inner, {
            read: (...args) => (broken ? bad : inner).read(...args),
            commit: (...args) => (broken ? bad : inner).commit(...args),
          });
        });
        const failed = await Promise.allSettled([
          store.set("k", 1),
          store.get("k"),
          store.increment("n"),
          store.update("k", () => 1),
          store.take("k"),
          store.transaction((tx) => tx.get("k")),
        ]);
        assert.ok(failed.every(({ status }) => status === "rejected"));
        broken = false;
        await store.set("k", 2);
        assert.equal(await store.increment("k"), 3);
        assert.deepEqual(await contents(store), [["k", 3]]);
      },
    },
  ],
};
