import { type Adapter, type CreateStoreOptions, createStore, isUrl, type Store } from "@kv/core";
import { adapterFactory } from "./adapter-package.ts";
import { invalidOption } from "./invalid-option.ts";
import { adapterOfName, adapterOfScheme, type KnownAdapter } from "./known-adapters.ts";
import type { StoreConfig } from "./store-config.ts";
import { parseStoreUrl } from "./store-url.ts";

export interface AdapterFromOptions {
  /**
   * The folder (a path or a `file:` URL) of the project whose installed packages are used. Default: the working
   * directory, then the folder of the running program. Packages not found there are looked up beside @kv/config.
   */
  readonly from?: string | URL | undefined;
}

/** The options of `createStore` override a config's `store`. Codecs, middleware and whatever else needs code go here. */
export interface OpenStoreOptions extends CreateStoreOptions, AdapterFromOptions {}

/**
 * Makes a store from a URL or a config object. Changing the backend changes this argument and no other line.
 *
 * - `"memory:"`
 * - `"sqlite:./app.db"`, `"sqlite:/var/lib/app.db"`, `"sqlite::memory:"`; relative paths begin at the working directory
 * - `"leveldb:./data"`, `"redis://…"`, `"rediss://…"`, `"arangodb://…"`
 * - `"hybrid:./files?index=sqlite:./index.db"`: large values in files, everything else in the store of the inner URL
 * - the same with the adapter's options: `"sqlite:./app.db?durability=full"`,
 *   `{ adapter: "sqlite", path: "./app.db", durability: "full", store: { defaultTtl: "5m" } }`
 * - two stores in one: `{ adapter: "tiered", near: "memory:?maxEntries=10000", far: "redis://…" }`
 *
 * Imports the adapter's package, but opens nothing yet: like every store, this one connects with its first operation.
 * @throws KvError `KV_INVALID_OPTION` or `KV_INVALID_TTL`; `KV_UNSUPPORTED` where the adapter's package is not
 *   installed, `KV_BACKEND` where it cannot be loaded
 */
export async function openStore<V = unknown>(
  target: string | URL | StoreConfig,
  options: OpenStoreOptions = {},
): Promise<Store<V>> {
  demandObject(options, "the options of openStore");
  const { from, ...overrides } = options;
  const { adapter: known, optionsOf, store } = understood(target);
  const adapter = await madeFrom(known, optionsOf, from);
  return createStore<V>(adapter, { ...store, ...given(overrides) });
}

/**
 * Makes the adapter alone, for code that works on adapters: a conformance suite, a benchmark, middleware.
 * @throws KvError as `openStore`, and `KV_INVALID_OPTION` for a config with `store`
 */
export async function adapterFrom(
  target: string | URL | StoreConfig,
  options: AdapterFromOptions = {},
): Promise<Adapter> {
  demandObject(options, "the options of adapterFrom");
  const { from, ...others } = options;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) {
    throw invalidOption(`unknown option ${JSON.stringify(unknown)} of adapterFrom; it has: from`);
  }
  const { adapter, optionsOf, store } = understood(target);
  if (store !== undefined)
    throw invalidOption("adapterFrom makes no store: remove the option store", adapter.name);
  return madeFrom(adapter, optionsOf, from);
}

/** Makes the adapter over the adapters that its options name. */
async function madeFrom(
  known: KnownAdapter,
  optionsOf: () => object,
  from: string | URL | undefined,
): Promise<Adapter> {
  const create = await adapterFactory(known, from);
  const options = optionsOf();
  const inner: Record<string, Adapter> = {};
  for (const name of known.adapters ?? []) {
    const target: unknown = (options as Readonly<Record<string, unknown>>)[name];
    if (isTarget(target)) inner[name] = await adapterFrom(target, { from });
  }
  return create({ ...options, ...inner });
}

/** Whether an adapter option was given as a URL or config. The factory checks anything else. */
function isTarget(option: unknown): option is string | URL | StoreConfig {
  if (typeof option === "string" || isUrl(option)) return true;
  return typeof option === "object" && option !== null && "adapter" in option;
}

interface Understood {
  readonly adapter: KnownAdapter;
  readonly optionsOf: () => object;
  readonly store: CreateStoreOptions | undefined;
}

function understood(target: unknown): Understood {
  if (typeof target === "string" || isUrl(target)) {
    const url = parseStoreUrl(String(target));
    const adapter = adapterOfScheme(url.scheme);
    return { adapter, optionsOf: () => adapter.optionsOf(url), store: undefined };
  }
  if (typeof target !== "object" || target === null || Array.isArray(target)) {
    throw invalidOption(
      'the target must be a URL such as "sqlite:./app.db", or an object such as { adapter: "memory" }',
    );
  }
  const { adapter: name, store, ...rest } = target as { adapter?: unknown; store?: CreateStoreOptions };
  if (store !== undefined) demandObject(store, "the option store, the options of createStore,");
  return { adapter: adapterOfName(name), optionsOf: () => rest, store };
}

function demandObject(options: unknown, what: string): void {
  if (typeof options === "object" && options !== null && !Array.isArray(options)) return;
  throw invalidOption(`${what} must be an object`);
}

/** Without the options that are `undefined`: those count as not given, and override nothing. */
function given(options: CreateStoreOptions): CreateStoreOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
