import type { Store } from "@kv/core";
import { collect } from "../../src/assertions/contents.ts";
import type { Mutant } from "./mutant.ts";

function pattern(glob: string): RegExp {
  return new RegExp(
    `^${glob
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}`,
    "su",
  );
}

/** What a front could do wrong over a healthy adapter: ranges, views, atomicity, watching and the end. */
export const viewMutants: readonly Mutant[] = [
  {
    title: "takes a prefix for a pattern when it clears",
    caughtBy: "ranges › clear of a prefix never touches a sibling, whatever pattern the prefix looks like",
    front: (store) => ({
      clear: async (selector) => {
        if (selector?.prefix === undefined) return store.clear(selector);
        const glob = pattern(selector.prefix);
        return store.deleteMany((await collect(store.keys())).filter((key) => glob.test(key)));
      },
    }),
  },
  {
    title: "takes a prefix for a pattern when it scans",
    caughtBy: "ranges › a prefix is no pattern",
    front: (store) => ({
      async *keys(selector) {
        const { prefix = "", ...rest } = selector ?? {};
        for await (const key of store.keys(rest)) if (pattern(prefix).test(key)) yield key;
      },
    }),
  },
  {
    title: "counts without regard to a limit",
    caughtBy:
      "ranges › limit takes so many from the beginning, of a reverse range from the end; 0 is none and Infinity all",
    front: (store) => ({ count: (selector) => store.count({ ...selector, limit: undefined }) }),
  },
  {
    title: "takes the limit 0 for none",
    caughtBy:
      "ranges › limit takes so many from the beginning, of a reverse range from the end; 0 is none and Infinity all",
    front: (store) => ({
      keys: (selector) => store.keys({ ...selector, limit: selector?.limit || undefined }),
    }),
  },
  {
    title: "gives the last page a cursor",
    caughtBy: "ranges › a page that ends exactly at the end has no cursor",
    front: (store) => ({
      page: async (selector) => ({
        cursor: "eyJhZnRlciI6InoiLCJyZXZlcnNlIjpmYWxzZX0",
        ...(await store.page(selector)),
      }),
    }),
  },
  {
    title: "begins a page with the last entry of the one before",
    caughtBy: "ranges › pages follow one another without a gap or a repetition, and the last has no cursor",
    front: (store) => {
      let last: readonly Awaited<ReturnType<Store["page"]>>["entries"][number][] = [];
      return {
        page: async (selector) => {
          const page = await store.page(selector);
          const entries = selector?.cursor === undefined ? page.entries : [...last, ...page.entries];
          last = page.entries.slice(-1);
          return { ...page, entries };
        },
      };
    },
  },
  {
    title: "includes the end of a range",
    caughtBy:
      "ranges › range includes its start, excludes its end, and without an end takes what begins with its start",
    front: (store) => ({
      range: (start, end, options) => store.range(start, end === undefined ? undefined : `${end}\0`, options),
    }),
  },
  {
    title: "applies a scope's prefix twice",
    caughtBy:
      "namespaces and scopes › scopes in scopes write their prefixes and colons, and the parent reads under that key",
    front: (store) => ({ scope: (prefix) => store.scope(prefix).scope(prefix) }),
  },
  {
    title: "takes an empty scope for none",
    caughtBy:
      "namespaces and scopes › an empty scope throws nothing: its operations reject with KV_INVALID_KEY",
    front: (store) => ({ scope: (prefix) => (prefix === "" ? store : store.scope(prefix)) }),
  },
  {
    title: "makes a namespace of a scope",
    caughtBy: "namespaces and scopes › a namespace is isolated from the scopes of the one above",
    front: (store) => ({
      namespace: (...path) => path.reduce((view, segment) => view.scope(segment), store),
    }),
  },
  {
    title: "throws a bad namespace instead of rejecting",
    caughtBy:
      "namespaces and scopes › namespace with an impossible segment throws nothing: its operations reject with KV_INVALID_KEY",
    front: (store) => ({
      namespace: (...path) => {
        if (path.includes("")) throw new Error("a namespace must have a name");
        return store.namespace(...path);
      },
    }),
  },
  {
    title: "closes with every view",
    caughtBy: "opening and closing › closing a view is a no-op: only the root closes",
    front: (store) => ({ scope: (prefix) => closing(store, prefix) }),
  },
  {
    title: "never closes",
    caughtBy: "opening and closing › every operation after close is KV_CLOSED, through every view",
    front: () => ({ close: () => Promise.resolve() }),
  },
  {
    title: "closes before what was accepted",
    caughtBy: "opening and closing › close waits for accepted work",
    front: (store) => ({
      set: async (key, value, options) => {
        await new Promise((resolve) => setImmediate(resolve));
        return store.set(key, value, options);
      },
    }),
  },
  {
    title: "takes the step after a function for another operation",
    caughtBy:
      "opening and closing › close waits for transactions and updates whose functions are still at work",
    front: (store) => ({
      update: async (key, fn) => {
        const value: unknown = await fn(await store.get(key));
        await store.set(key, value);
        return value as never;
      },
    }),
  },
  {
    title: "runs a transaction on the store itself",
    caughtBy:
      "atomicity › where the function throws nothing was written, and what it threw is what the transaction rejects with",
    front: (store) => ({ transaction: async (fn) => fn(store as never) }),
  },
  {
    title: "runs a transaction once, whatever happens meanwhile",
    caughtBy: "atomicity › a transaction runs again where a key that it read has changed",
    front: (store) => ({ transaction: (fn) => store.transaction(fn, { attempts: 1 }) }),
  },
  {
    title: "gives a read-only view that writes",
    caughtBy:
      "views and wrappers › every writing member of readonly(), called all the same, is KV_READ_ONLY, and nothing reaches the backend",
    front: (store) => ({ readonly: () => store }),
  },
  {
    title: "forgets that a view is read-only in its scopes",
    caughtBy: "views and wrappers › what a read-only view gives is read-only, too",
    front: (store) => ({
      readonly: () =>
        Object.create(store.readonly(), { scope: { value: (prefix: string) => store.scope(prefix) } }),
    }),
  },
  {
    title: "believes its types",
    caughtBy:
      "views and wrappers › what the schema refuses is KV_INVALID_VALUE on write, naming the path, nothing written (a schema that answers at once)",
    front: (store) => ({ typed: () => store as never }),
  },
  {
    title: "calls back after unsubscribe",
    caughtBy: "watching › unsubscribe is idempotent, and no call of the callback begins after it",
    front: (store) => ({
      subscribe: async (callback, selector) => ({
        ...(await store.subscribe(callback, selector)),
        unsubscribe: () => undefined,
      }),
    }),
  },
  {
    title: "begins to watch at the first next",
    caughtBy:
      "watching › watch registers at the call: a write after it is seen, before the first next was called",
    front: (store) => ({
      async *watch(selector) {
        yield* store.watch(selector);
      },
    }),
  },
  {
    title: "leaves out what there is initially",
    caughtBy: "watching › initial begins with the entries there are, as set changes in key order",
    front: (store) => ({
      subscribe: (callback, selector) => store.subscribe(callback, { ...selector, initial: false }),
    }),
  },
];

/** A view whose end is the end of the store. */
function closing(store: Store, prefix: string): Store {
  const view = store.scope(prefix);
  return Object.defineProperties(view, {
    close: { value: () => store.close() },
    [Symbol.asyncDispose]: { value: () => store.close() },
  });
}
