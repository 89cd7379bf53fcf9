import { isMilliseconds, KvError, Refusal, refuseUnknownOptions } from "@kv/core";
import type { Database } from "arangojs";
import { addressOf } from "./address.ts";

interface CommonOptions {
  /**
   * The name of the collection of entries, and the beginning of three more names (`kv_changes`, `kv_system`, `kv_links`):
   * several stores fit into one database. A letter, then letters, digits, `_` and `-`. Default: `"kv"`.
   */
  readonly collection?: string | undefined;
  /**
   * When a write is acknowledged. `"normal"`: when the server has it, which writes it to disk shortly afterwards; `"full"`:
   * when it is on disk. Default: `"normal"`.
   */
  readonly durability?: "normal" | "full" | undefined;
  /**
   * Milliseconds between two polls of a store that watches: the delay of other stores' changes. Stores without watchers do
   * not poll. Default: 100.
   */
  readonly watchInterval?: number | undefined;
  /**
   * Milliseconds that a write keeps retrying while other writers change the same keys. Default: 4,500, below the store's
   * own timeout of 5 s.
   */
  readonly busyTimeout?: number | undefined;
  /** Milliseconds after which a statement without an answer is abandoned. Default: 4,500. */
  readonly requestTimeout?: number | undefined;
}

export interface ArangodbServerOptions extends CommonOptions {
  /**
   * `http://user:password@host:8529/database`, `https:`, or `arangodb:` and `arangodbs:` instead.
   * Default: `http://127.0.0.1:8529`.
   */
  readonly url?: string | undefined;
  /** The coordinators of a cluster, instead of `url`: if one cannot be reached, the next one is asked. */
  readonly urls?: readonly string[] | undefined;
  /** Created if it does not exist. Default: the URL's, else `"_system"`. */
  readonly database?: string | undefined;
  /** Default: the URL's, else `"root"`. */
  readonly username?: string | undefined;
  /** Default: the URL's, else none. */
  readonly password?: string | undefined;
  /** A JSON Web Token, instead of username and password. */
  readonly token?: string | undefined;
  /** How many requests may be in progress at once; the others wait in this process. Default: 16. */
  readonly poolSize?: number | undefined;
  readonly client?: undefined;
}

export interface ArangodbClientOptions extends CommonOptions {
  /** A `Database` of arangojs, which the caller closes. Its own settings decide the pool's size. */
  readonly client: Database;
  readonly url?: undefined;
  readonly urls?: undefined;
}

export type ArangodbOptions = ArangodbServerOptions | ArangodbClientOptions;

/** How to reach and enter a server. */
export interface Account {
  readonly urls: readonly string[];
  readonly database: string;
  readonly username: string;
  readonly password: string;
  readonly token: string | undefined;
  readonly poolSize: number;
}

/** The options with their defaults, checked. */
export interface Settings {
  readonly source: { readonly account: Account } | { readonly client: Database };
  readonly collection: string;
  readonly durability: "normal" | "full";
  readonly watchInterval: number;
  readonly busyTimeout: number;
  readonly requestTimeout: number;
}

const COMMON = ["collection", "durability", "watchInterval", "busyTimeout", "requestTimeout"] as const;
const SERVER = [...["url", "urls", "database", "username", "password", "token", "poolSize"], ...COMMON];
const CLIENT = ["client", ...COMMON];
const ANY: ReadonlySet<string> = new Set([...SERVER, ...CLIENT]);

/** @throws KvError `KV_INVALID_OPTION` */
export function settingsOf(options: ArangodbOptions = {}): Settings {
  try {
    refuseUnknownOptions(options, ANY, "arangodb()");
    const {
      collection = "kv",
      durability = "normal",
      watchInterval = 100,
      busyTimeout = 4500,
      requestTimeout = 4500,
    } = options;
    demand(
      typeof collection === "string" && /^[a-zA-Z][a-zA-Z0-9_-]{0,199}$/.test(collection),
      "collection",
      "a letter, then at most 199 letters, digits, _ and -",
    );
    demand(durability === "normal" || durability === "full", "durability", '"normal" or "full"');
    demand(
      isMilliseconds(watchInterval, 1),
      "watchInterval",
      "a number of milliseconds from 1 to 2,147,483,647, which is 24.8 days",
    );
    demand(
      isMilliseconds(busyTimeout, 0),
      "busyTimeout",
      "a number of milliseconds from 0 to 2,147,483,647, which is 24.8 days",
    );
    demand(
      isMilliseconds(requestTimeout, 1),
      "requestTimeout",
      "a number of milliseconds from 1 to 2,147,483,647, which is 24.8 days",
    );
    return { source: sourceOf(options), collection, durability, watchInterval, busyTimeout, requestTimeout };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new KvError(error.code, { message: error.message, operation: "open", adapter: "arangodb" });
  }
}

function sourceOf(options: ArangodbOptions): Settings["source"] {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  if (options.client === undefined) {
    refuseUnknownOptions(given, new Set(SERVER), "arangodb({ url })");
    return { account: accountOf(options) };
  }
  refuseUnknownOptions(given, new Set(CLIENT), "arangodb({ client })");
  const { client } = options;
  demand(
    typeof client === "object" && client !== null && client.isArangoDatabase === true,
    "client",
    "a Database of arangojs",
  );
  return { client };
}

function accountOf(options: ArangodbServerOptions): Account {
  const { token, poolSize = 16 } = options;
  const { urls, ...fromUrl } = addressOf(options.url, options.urls);
  for (const option of ["database", "username", "password", "token"] as const) {
    const value = options[option];
    demand(value === undefined || typeof value === "string", option, "a string");
  }
  const username = options.username ?? fromUrl.username;
  const password = options.password ?? fromUrl.password;
  const database = options.database ?? fromUrl.database ?? "_system";
  demand(
    database !== "" && database.normalize("NFC") === database,
    "database",
    "a non-empty name in Unicode normalization form NFC",
  );
  if (token !== undefined && (username !== undefined || password !== undefined))
    throw new Refusal(
      "KV_INVALID_OPTION",
      "the option token replaces username and password; give either the token or the account",
    );
  demand(Number.isInteger(poolSize) && poolSize >= 1, "poolSize", "an integer of at least 1");
  return {
    urls,
    database,
    username: username ?? "root",
    password: password ?? "",
    token,
    poolSize,
  };
}

/** @throws Refusal `KV_INVALID_OPTION` unless the condition holds */
function demand(holds: boolean, option: string, kind: string): void {
  if (!holds) throw new Refusal("KV_INVALID_OPTION", `the option ${option} must be ${kind}`);
}
