import { AsyncLocalStorage } from "node:async_hooks";
import type { SetOptions } from "@kv/core";
import type { Mutant } from "./mutant.ts";

/** What a front could do wrong over a healthy adapter: reading and writing. */
export const frontMutants: readonly Mutant[] = [
  {
    title: "reads an absent key as null",
    caughtBy: "values › an absent key reads as undefined",
    front: (store) => ({
      get: async (key: string, fallback?: unknown) => (await store.get(key, fallback)) ?? null,
    }),
  },
  {
    title: "takes false, 0 and the empty string for absent",
    caughtBy: "values › null, false, 0 and the empty string are values and no absence",
    front: (store) => ({
      get: async (key: string, fallback?: unknown) => (await store.get(key)) || fallback,
    }),
  },
  {
    title: "takes null for absent",
    caughtBy: "values › null, false, 0 and the empty string are values and no absence",
    front: (store) => ({ has: async (key) => (await store.get(key)) != null }),
  },
  {
    title: "throws a bad key instead of rejecting",
    caughtBy: "keys › an empty key is KV_INVALID_KEY in every operation, before anything reaches the backend",
    front: (store) => ({
      has: (key) => {
        if (key === "") throw new Error("a key must not be empty");
        return store.has(key);
      },
    }),
  },
  {
    title: "answers a bad key with nothing",
    caughtBy:
      "keys › a key with a lone surrogate is KV_INVALID_KEY in every operation, before anything reaches the backend",
    front: (store) => ({
      getMetadata: (key) => (key.isWellFormed() ? store.getMetadata(key) : Promise.resolve(undefined)),
    }),
  },
  {
    title: "takes a number for a key",
    caughtBy:
      "keys › a key that is no string is KV_INVALID_KEY in every operation, before anything reaches the backend",
    front: (store) => ({ delete: (key, options) => store.delete(String(key), options) }),
  },
  {
    title: "writes the good part of a bad batch",
    caughtBy: "keys › one invalid key refuses its whole batch, nothing written",
    front: (store) => ({
      setMany: async (entries, options) => {
        const revisions: string[] = [];
        for (const [key, value, own] of entries)
          revisions.push(await store.set(key, value, { ...options, ...own }));
        return revisions;
      },
    }),
  },
  {
    title: "makes JSON of whatever it is given",
    caughtBy: "values › json refuses a Date, at the top and inside, and writes nothing",
    front: (store) => ({
      set: async (key, value, options) =>
        store.set(key, JSON.parse(JSON.stringify(value) ?? "null"), options),
    }),
  },
  {
    title: "keeps the caller's object until the end of the tick",
    caughtBy: "values › a value that the caller changes after the call is stored as it was at the call",
    front: (store) => ({
      set: async (key, value, options) => Promise.resolve().then(() => store.set(key, value, options)),
    }),
  },
  {
    title: "gives every reader the same object",
    caughtBy: "values › a value that was read and then changed is not changed in the store",
    front: (store) => {
      const cache = new Map<string, unknown>();
      return {
        get: async (key: string, fallback?: unknown) => {
          if (!cache.has(key)) cache.set(key, await store.get(key, fallback));
          return cache.get(key);
        },
      };
    },
  },
  {
    title: "ends a scan at a corrupt entry",
    caughtBy: "values › a scan leaves a corrupt entry out and yields every other",
    front: (store) => ({ values: (selector) => store.values({ ...selector, onCorrupt: "throw" }) }),
  },
  {
    title: "takes a misspelt option for one not given",
    caughtBy:
      "reading and writing › an unknown option is told with the known ones, so that a misspelt one is found",
    front: (store) => ({ set: (key, value, options) => store.set(key, value, known(options)) }),
  },
  {
    title: "hears of no signal",
    caughtBy:
      "reading and writing › a signal that is aborted already rejects every operation with KV_ABORTED, nothing written",
    front: (store) => ({
      set: (key, value, options) => store.set(key, value, { ...options, signal: undefined }),
    }),
  },
  {
    title: "tells no revision",
    caughtBy: "reading and writing › set resolves to the revision that the entry then has",
    front: (store) => ({
      set: async (key, value, options) => store.set(key, value, options).then(() => "OK"),
    }),
  },
  {
    title: "updates in two steps",
    caughtBy: "reading and writing › update applies its function again where somebody wrote in between",
    front: (store) => ({
      update: async (key, fn, options) => {
        const value = await fn(await store.get(key));
        if (value === undefined) await store.delete(key);
        else await store.set(key, value, options);
        return value;
      },
    }),
  },
  {
    title: "creates in two steps",
    caughtBy: "concurrency › of N concurrent creates exactly one wins, and its value stays",
    front: (store) => ({
      create: async (key, value, options) =>
        (await store.has(key)) ? undefined : store.set(key, value, options),
    }),
  },
  {
    title: "takes in two steps",
    caughtBy: "concurrency › of N concurrent takes exactly one gets the value",
    front: (store) => ({
      take: async (key) => {
        const value = await store.get(key);
        await store.delete(key);
        return value;
      },
    }),
  },
  {
    title: "increments in two steps",
    caughtBy: "concurrency › N concurrent increments add up to N, and no two of them give the same number",
    front: (store) => ({
      increment: async (key, by = 1) => {
        const sum = Number(await store.get(key, 0)) + by;
        await store.set(key, sum);
        return sum;
      },
    }),
  },
  {
    title: "reads before the writes that were called before",
    caughtBy: "reading and writing › set and then get in the same tick reads the new value",
    front: (store) => ({
      set: async (key, value, options) =>
        new Promise((resolve) => setImmediate(() => resolve(store.set(key, value, options)))),
    }),
  },
  {
    title: "clears when it finds the time",
    caughtBy:
      "reading and writing › any calls that nobody awaits answer what the same calls answer one after the other",
    front: (store) => ({
      clear: async (selector) => {
        await new Promise((resolve) => setImmediate(resolve));
        return store.clear(selector);
      },
    }),
  },
  {
    title: "takes a ttl for milliseconds",
    caughtBy:
      "time to live › a ttl is seconds, a text with a unit, or parts, and the deadline is absolute to the millisecond",
    front: (store) => ({
      set: (key, value, options) =>
        store.set(
          key,
          value,
          typeof options?.ttl === "number" ? { ...options, ttl: options.ttl / 1000 } : options,
        ),
    }),
  },
  {
    title: "takes a ttl that is none for no ttl",
    caughtBy: "time to live › what is no duration is KV_INVALID_TTL in every way to write, nothing written",
    front: (store) => ({
      create: (key, value, options) =>
        store.create(key, value, typeof options?.ttl === "number" && !(options.ttl > 0) ? {} : options),
    }),
  },
  {
    title: "lets setCache persist",
    caughtBy: "eviction policy › setCache is set with the policy evict",
    front: (store) => ({ setCache: (key, value, options) => store.set(key, value, options) }),
  },
  {
    title: "says nothing but that something was not found",
    caughtBy: "errors › a message says adapter, operation and key, with control characters made visible",
    front: (store) => ({
      getOrThrow: (key) => store.getOrThrow(key).catch(() => Promise.reject(new Error("not found"))),
    }),
  },
  {
    title: "begins the time of a call when those before it are over",
    caughtBy:
      "errors › calls that wait for one which is not answered are given up with it, and never begun afterwards",
    front: (store) => {
      let last: Promise<unknown> = Promise.resolve();
      return {
        update: (key, fn, options) => {
          const updated = last.then(() => store.update(key, fn, options));
          last = updated.catch(() => undefined);
          return updated;
        },
      };
    },
  },
  {
    title: "runs an update's function in the async context that the store was made in",
    caughtBy:
      "concurrency › the function of an update runs in the async context of its caller, though others work on the same key",
    front: (store) => {
      const elsewhere = AsyncLocalStorage.snapshot();
      return {
        update: (key, fn, options) => store.update(key, (value) => elsewhere(() => fn(value)), options),
      };
    },
  },
  {
    title: "runs a transaction's function in the async context that the store was made in",
    caughtBy:
      "concurrency › the function of a transaction runs in the async context of its caller, though others work on the same key",
    front: (store) => {
      const elsewhere = AsyncLocalStorage.snapshot();
      return { transaction: (fn, options) => store.transaction((tx) => elsewhere(() => fn(tx)), options) };
    },
  },
];

function known(options: SetOptions | undefined): SetOptions {
  const { ttl, expiresAt, keepTtl, policy, metadata, signal } = options ?? {};
  return { ttl, expiresAt, keepTtl, policy, metadata, signal };
}
