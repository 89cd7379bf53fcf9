import { setTimeout as sleep } from "node:timers/promises";
import type {
  Adapter,
  Capabilities,
  CreateStoreOptions,
  MaybePromise,
  Middleware,
  Namespace,
  Store,
} from "@kv/core";
import { createStore, json, namespaceOf } from "@kv/core";
import { sharedAdapter } from "../shared-adapter.ts";
import type { Abilities } from "./abilities.ts";
import type { Harness, Setup } from "./harness.ts";
import { KeyList } from "./ordered-by-list.ts";
import { type Expected, refusal } from "./refusal.ts";
import { type Time, timeOf } from "./time.ts";
import { type Variant, viewOf } from "./views.ts";

/** A root store and the view of it that is under test. */
export interface Opened {
  readonly root: Store;
  readonly store: Store;
}

/** What the suite passes to a case. */
export interface Context {
  readonly abilities: Abilities;
  readonly capabilities: Capabilities;
  /** The view under test, of a store with default options. */
  readonly store: Store;
  /** The root store of that view. */
  readonly root: Store;
  /** The adapter below; it is open once a store was used. */
  readonly adapter: Adapter;
  /** The namespace that the view is in. */
  readonly namespace: Namespace;
  /** The prefix that the view puts before its keys, including the scope's colon. */
  readonly prefix: string;
  readonly time: Time;
  /** Another store over the same open adapter, with other options or with a middleware in between. */
  open(options?: CreateStoreOptions, between?: Middleware): Opened;
  /** A store over the same data through another adapter, as after a restart or in another process. */
  reopen(options?: CreateStoreOptions): Promise<Opened>;
  /** Copies the data while every store is closed. Returns a function that restores the copy, to call in the same state. */
  backup(): Promise<() => MaybePromise<void>>;
  /** Writes an entry that no codec can decode, past the store. */
  plantCorrupt(key: string): Promise<void>;
  /** Resolves once every earlier write has reached every watcher. */
  settle(): Promise<void>;
  /** Asserts that a call rejects, rather than throws, with this code, and names adapter, operation and key. */
  refused: (code: Expected["code"], call: () => unknown, expected?: Omit<Expected, "code">) => Promise<void>;
}

export interface ContextOptions {
  readonly harness: Harness;
  readonly variant: Variant;
  /** Wraps every store that is opened. The suite's own tests break a front with it. */
  readonly wrapStore?: ((store: Store) => Store) | undefined;
}

/** A context, and how to dispose of it. */
export interface Prepared {
  readonly context: Context;
  dispose(): Promise<void>;
}

export async function prepare({ harness, variant, wrapStore }: ContextOptions): Promise<Prepared> {
  const setup = await harness.create();
  const roots: Store[] = [];
  const wrap = variant.wrap ?? ((adapter: Adapter) => adapter);
  const list = new KeyList();
  const through = (inner: Adapter) => wrap(inner.capabilities.ordered ? inner : list.over(inner));
  const adapter = sharedAdapter(through(setup.adapter));
  const namespace = namespaceOf(variant.path);
  const prefix = variant.scope === undefined ? "" : `${variant.scope}:`;
  let first: Opened | undefined;

  function opened(over: Adapter, options: CreateStoreOptions | undefined): Opened {
    const made = createStore(
      over,
      variant.codec === undefined ? options : { codec: variant.codec, ...options },
    );
    const root = wrapStore === undefined ? made : wrapStore(made);
    roots.push(root);
    return { root, store: viewOf(root, variant) };
  }

  function byDefault(): Opened {
    first ??= opened(adapter, undefined);
    return first;
  }

  const context: Context = {
    abilities: abilitiesOf(setup, variant),
    capabilities: adapter.capabilities,
    get store() {
      return byDefault().store;
    },
    get root() {
      return byDefault().root;
    },
    adapter,
    namespace,
    prefix,
    time: timeOf(setup),
    open: (options, between) => opened(between === undefined ? adapter : between(adapter), options),
    async reopen(options) {
      if (setup.reopen === undefined)
        throw new Error(`${harness.name}: this case needs create() to return reopen`);
      return opened(through(await setup.reopen()), options);
    },
    async backup() {
      if (setup.backup === undefined)
        throw new Error(`${harness.name}: this case needs create() to return backup`);
      return setup.backup();
    },
    async plantCorrupt(key) {
      // Any operation, to open the adapter.
      await byDefault().store.has("opened");
      await adapter.commit(namespace, [{ checks: [], mutations: [corruptEntry(prefix + key)] }]);
    },
    settle: () => (harness.settle === undefined ? sleep(25) : harness.settle()),
    refused: (code, call, expected) => refusal(call, { adapter: adapter.name, ...expected, code }),
  };
  return { context, dispose: () => disposeAll(roots, setup.dispose?.bind(setup)) };
}

function corruptEntry(key: string): Parameters<Adapter["commit"]>[1][number]["mutations"][number] {
  return {
    type: "set",
    key,
    payload: "not decodable",
    encoding: "nonsense",
    expiresAt: undefined,
    policy: "persist",
    user: undefined,
  };
}

function abilitiesOf(setup: Setup, { together = false, codec = json }: Variant): Abilities {
  return {
    codec: codec.name,
    capabilities: setup.adapter.capabilities,
    atomic: together || setup.adapter.capabilities.atomic === "namespace",
    clock: setup.clock !== undefined,
    reopen: setup.reopen !== undefined,
    backup: setup.backup !== undefined,
  };
}

/** Newest first: a store over a reopened adapter closes before the store it was reopened from. */
async function disposeAll(roots: Store[], dispose: (() => MaybePromise<void>) | undefined): Promise<void> {
  try {
    for (const root of roots.reverse()) await root.close();
  } finally {
    await dispose?.();
  }
}
