import { invalidOption, nameOr } from "./invalid-option.ts";
import { type Kind, queryOptions } from "./query-options.ts";
import { pathOf, type StoreUrl } from "./store-url.ts";
import type { Tiers } from "./tiers.ts";

export interface KnownAdapter {
  /** The name in configs, which is also the name of the factory that the package exports. */
  readonly name: string;
  /** The package, as it is installed. */
  readonly package: string;
  /** The schemes of its URLs, without the colon. */
  readonly schemes: readonly string[];
  /** What may stand in the query of its URLs. */
  readonly query: Readonly<Record<string, Kind>>;
  /** Those of the factory's options that are adapters. */
  readonly tiers?: readonly string[];
  /** What a URL says, as options of the factory. @throws KvError `KV_INVALID_OPTION` */
  readonly optionsOf: (url: StoreUrl) => object;
}

/** Of the options, those that a text can say. */
export const MEMORY_QUERY = { maxEntries: "number", maxBytes: "number" } as const;
export const SQLITE_QUERY = {
  durability: "text",
  table: "text",
  readOnly: "boolean",
  turnSnapshots: "boolean",
  watchInterval: "number",
  busyTimeout: "number",
} as const;

export const LEVELDB_QUERY = {
  durability: "text",
  prefix: "text",
  cacheSize: "number",
  writeBufferSize: "number",
  verifyUpTo: "number",
} as const;

export const REDIS_QUERY = {
  db: "number",
  prefix: "text",
  partitions: "number",
  ordered: "boolean",
  busyTimeout: "number",
  waitForReconnect: "boolean",
  connectTimeout: "number",
  socketTimeout: "number",
  connectionName: "text",
} as const;

const KNOWN: readonly KnownAdapter[] = [
  {
    ...named("memory"),
    query: MEMORY_QUERY,
    optionsOf(url) {
      if (url.body !== "" && url.body !== "//") {
        throw invalidOption(
          'nothing but options may follow "memory:", as in memory:?maxEntries=1000',
          url.scheme,
        );
      }
      return queryOptions(url, this.query);
    },
  },
  { ...named("sqlite"), query: SQLITE_QUERY, optionsOf: fileOptions },
  { ...named("leveldb"), query: LEVELDB_QUERY, optionsOf: fileOptions },
  {
    ...named("redis"),
    schemes: ["redis", "rediss"],
    query: REDIS_QUERY,
    // Host, account and database are for the adapter to read.
    optionsOf(url) {
      return { ...queryOptions(url, this.query), url: `${url.scheme}:${url.body}` };
    },
  },
  // The driver reads the URL itself, its query included.
  { ...named("arangodb"), query: {}, optionsOf: wholeUrl },
  {
    ...named("hybrid"),
    query: {},
    optionsOf({ scheme }) {
      throw invalidOption('it is made of two stores: give an object, { adapter: "hybrid", … }', scheme);
    },
  },
  {
    ...named("tiered"),
    query: {},
    tiers: ["near", "far"] satisfies (keyof Tiers)[],
    optionsOf({ scheme }) {
      throw invalidOption(
        'it is made of two stores: give an object, { adapter: "tiered", near: "memory:", far: "sqlite:./app.db" }',
        scheme,
      );
    },
  },
];

function named(name: string): Pick<KnownAdapter, "name" | "package" | "schemes"> {
  return { name, package: `@kv/${name}`, schemes: [name] };
}

function fileOptions(this: KnownAdapter, url: StoreUrl): object {
  const path = pathOf(url);
  if (path === undefined) {
    throw invalidOption(
      `"${url.scheme}:" must be followed by a path, as in ${url.scheme}:./app.db`,
      url.scheme,
    );
  }
  return { ...queryOptions(url, this.query), path };
}

function wholeUrl({ href }: StoreUrl): object {
  return { url: href };
}

/** @throws KvError `KV_INVALID_OPTION` */
export function adapterOfScheme(scheme: string): KnownAdapter {
  const found = KNOWN.find(({ schemes }) => schemes.includes(scheme));
  if (found !== undefined) return found;
  const list = KNOWN.flatMap(({ schemes }) => schemes.map((known) => `${known}:`)).join(", ");
  throw invalidOption(`no adapter has URLs that begin with ${nameOr(scheme, "this")}; there are: ${list}`);
}

/** @throws KvError `KV_INVALID_OPTION` */
export function adapterOfName(name: unknown): KnownAdapter {
  const found = KNOWN.find((known) => known.name === name);
  if (found !== undefined) return found;
  const list = KNOWN.map((known) => known.name).join(", ");
  throw invalidOption(`no adapter is named ${nameOr(name, "like this")}; the option adapter may be: ${list}`);
}
