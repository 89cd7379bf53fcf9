import { invalidOption, nameOr } from "./invalid-option.ts";
import { type Kind, queryOptions } from "./query-options.ts";
import { pathOf, type StoreUrl } from "./store-url.ts";

export interface KnownAdapter {
  /** The name in configs, which is also the name of the factory that the package exports. */
  readonly name: string;
  /** The name of the package. */
  readonly package: string;
  /** The schemes of its URLs, without the colon. */
  readonly schemes: readonly string[];
  /** The options that the query of its URLs may hold. */
  readonly query: Readonly<Record<string, Kind>>;
  /** The options that are adapters themselves, which a config gives as URLs or objects. Default: none. */
  readonly adapters?: readonly string[];
  /** Converts a URL to options of the factory. @throws KvError `KV_INVALID_OPTION` */
  readonly optionsOf: (url: StoreUrl) => object;
}

/** The options that text can express. */
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

export const ARANGODB_QUERY = {
  collection: "text",
  durability: "text",
  watchInterval: "number",
  busyTimeout: "number",
  poolSize: "number",
  requestTimeout: "number",
} as const;

export const HYBRID_QUERY = {
  index: "text",
  inlineBelow: "text",
  durability: "text",
  compress: "text",
  layout: "text",
  grace: "text",
  collectInterval: "text",
} as const;

const KNOWN: readonly KnownAdapter[] = [
  {
    ...named("memory"),
    query: MEMORY_QUERY,
    optionsOf(url) {
      if (url.body !== "" && url.body !== "//") {
        throw invalidOption('only options may follow "memory:", as in memory:?maxEntries=1000', url.scheme);
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
    // The adapter itself reads host, account and database from the URL.
    optionsOf(url) {
      return { ...queryOptions(url, this.query), url: `${url.scheme}:${url.body}` };
    },
  },
  {
    ...named("arangodb"),
    schemes: ["arangodb", "arangodbs"],
    query: ARANGODB_QUERY,
    // The adapter itself reads host, account and database from the URL.
    optionsOf(url) {
      return { ...queryOptions(url, this.query), url: `${url.scheme}:${url.body}` };
    },
  },
  { ...named("hybrid"), query: HYBRID_QUERY, adapters: ["index"], optionsOf: filesOptions },
  {
    ...named("tiered"),
    query: {},
    adapters: ["near", "far"],
    optionsOf({ scheme }) {
      throw invalidOption(
        'a tiered store needs two adapters, which a URL cannot name: give an object, { adapter: "tiered", near: "memory:", far: "sqlite:./app.db" }',
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

/** The directory of files, with the index that the query must name. */
function filesOptions(this: KnownAdapter, url: StoreUrl): object {
  const directory = pathOf(url);
  const options = queryOptions(url, this.query);
  if (directory !== undefined && options["index"] !== undefined) return { ...options, directory };
  throw invalidOption(
    'a hybrid store needs a directory for the files and the URL of an index: "hybrid:./files?index=sqlite:./index.db" (in that URL "?" and "&" are written "%3F" and "%26"), or an object, { adapter: "hybrid", directory, index }',
    url.scheme,
  );
}

/** @throws KvError `KV_INVALID_OPTION` */
export function adapterOfScheme(scheme: string): KnownAdapter {
  const found = KNOWN.find(({ schemes }) => schemes.includes(scheme));
  if (found !== undefined) return found;
  const list = KNOWN.flatMap(({ schemes }) => schemes.map((known) => `${known}:`)).join(", ");
  throw invalidOption(`unknown scheme ${nameOr(scheme, "in the URL")}; the known ones are: ${list}`);
}

/** @throws KvError `KV_INVALID_OPTION` */
export function adapterOfName(name: unknown): KnownAdapter {
  const found = KNOWN.find((known) => known.name === name);
  if (found !== undefined) return found;
  const list = KNOWN.map((known) => known.name).join(", ");
  throw invalidOption(`unknown adapter ${nameOr(name, "name")}; the option adapter must be one of: ${list}`);
}
