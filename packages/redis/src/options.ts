import type { ConnectionOptions as TlsOptions } from "node:tls";
import { isMilliseconds, KvError, Refusal, refuseUnknownOptions } from "@kv/core";
import type { Cluster, Redis } from "ioredis";
import { addressOf, type RedisAddress, type RedisNode } from "./address.ts";
import { demandHonest } from "./connection/handed-in-client.ts";
import { demand } from "./demand.ts";

interface CommonOptions {
  /** The beginning of the names of all keys; any text without `{` and `}`. Default: `"kv:"`. */
  readonly prefix?: string | undefined;
  /**
   * The number of partitions that a namespace is spread over, so that it may outgrow one node of a Cluster. A commit of
   * several keys must then stay within one partition, else it is `KV_UNSUPPORTED` (`capabilities.atomic` is `"partition"`).
   * Keys with the same text between their first `{` and `}` share a partition, as in Redis Cluster. Ranges are merged in
   * order. Part of the layout: opening data with another number is refused. 1 to 1,024. Default: 1.
   */
  readonly partitions?: number | undefined;
  /**
   * `false`: no index of keys is kept, for pure caching. Ranges are then `KV_UNSUPPORTED`, and operations on a whole
   * namespace (`clear`, `clearCache`, `count`, `stats`) look through all names of the database. Part of the layout.
   * Default: true.
   */
  readonly ordered?: boolean | undefined;
  /**
   * Milliseconds that operations go on trying while the server refuses temporarily (it loads its data, runs another
   * client's script, a slot is being moved, a Cluster elects a master), counted from the first refusal. An operation called
   * after the server has been refusing for that long is tried once. Default: 4,500, below the store's own timeout of 5 s.
   */
  readonly busyTimeout?: number | undefined;
  /**
   * Operations called while the server is away: `false`: they fail at once with `KV_UNAVAILABLE`; `true`: they wait for
   * it, up to `busyTimeout`. Default: false.
   */
  readonly waitForReconnect?: boolean | undefined;
}

interface AccountOptions extends CommonOptions {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** `true`, or options of Node's `tls.connect`. Default: the URL's, else false. */
  readonly tls?: boolean | TlsOptions | undefined;
  /** Milliseconds that opening may take. Default: 4,500. */
  readonly connectTimeout?: number | undefined;
  /** Milliseconds of silence from the server, while commands wait, after which a connection is closed. Default: 4,500. */
  readonly socketTimeout?: number | undefined;
  /** The connection's name in the server's CLIENT LIST. Default: `"kv"`. */
  readonly connectionName?: string | undefined;
}

export interface RedisServerOptions extends AccountOptions {
  /** `redis://user:password@host:port/db`, `rediss://` for TLS, `redis:///path` or `unix:///path` for a socket. */
  readonly url?: string | undefined;
  /** Default: `"127.0.0.1"`. */
  readonly host?: string | undefined;
  /** Default: 6379. */
  readonly port?: number | undefined;
  /** The number of the database. Default: 0. */
  readonly db?: number | undefined;
  readonly sentinels?: undefined;
  readonly cluster?: undefined;
  readonly client?: undefined;
}

export interface RedisSentinelOptions extends AccountOptions {
  readonly sentinels: readonly (RedisNode | string)[];
  /** The name that the Sentinels give the master. */
  readonly name: string;
  /** The number of the database. Default: 0. */
  readonly db?: number | undefined;
  readonly sentinelUsername?: string | undefined;
  readonly sentinelPassword?: string | undefined;
  readonly cluster?: undefined;
  readonly client?: undefined;
}

export interface RedisClusterOptions extends AccountOptions {
  /** Some of the nodes; the others are found through them. Strings are `"host:port"`. */
  readonly cluster: readonly (RedisNode | string)[];
  readonly sentinels?: undefined;
  readonly client?: undefined;
}

export interface RedisClientOptions extends CommonOptions {
  /**
   * An ioredis client that only the store uses, and the caller closes. A client with `keyPrefix` (use `prefix`),
   * `stringNumbers`, `readOnly`, `monitor`, `role: "slave"`, or a Cluster with `scaleReads` other than `"master"` or a
   * `db`, is refused with `KV_INVALID_OPTION`. Watching opens a separate connection with the client's options, and a second
   * one if the client has no `socketTimeout` and has not answered for `busyTimeout`, but at least 1 s.
   */
  readonly client: Redis | Cluster;
  readonly sentinels?: undefined;
  readonly cluster?: undefined;
}

export type RedisOptions =
  | RedisServerOptions
  | RedisSentinelOptions
  | RedisClusterOptions
  | RedisClientOptions;

/** How to reach and enter a server. */
export interface Account {
  readonly address: RedisAddress;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly sentinelUsername: string | undefined;
  readonly sentinelPassword: string | undefined;
  readonly db: number;
  readonly tls: TlsOptions | undefined;
  readonly connectTimeout: number;
  readonly socketTimeout: number;
  readonly connectionName: string;
}

/** The options with their defaults, checked. */
export interface Settings {
  readonly source: Account | Redis | Cluster;
  readonly prefix: string;
  readonly partitions: number;
  readonly ordered: boolean;
  readonly busyTimeout: number;
  readonly waitForReconnect: boolean;
}

const COMMON = ["prefix", "partitions", "ordered", "busyTimeout", "waitForReconnect"] as const;
const ACCOUNT = ["username", "password", "tls", "connectTimeout", "socketTimeout", "connectionName"] as const;
const SERVER = ["url", "host", "port", "db", ...ACCOUNT, ...COMMON];
const SENTINEL = ["sentinels", "name", "db", "sentinelUsername", "sentinelPassword", ...ACCOUNT, ...COMMON];
const CLUSTER = ["cluster", ...ACCOUNT, ...COMMON];
const CLIENT = ["client", ...COMMON];
const ANY: ReadonlySet<string> = new Set([...SERVER, ...SENTINEL, ...CLUSTER, ...CLIENT]);

/** @throws KvError `KV_INVALID_OPTION` */
export function settingsOf(options: RedisOptions = {}): Settings {
  try {
    refuseUnknownOptions(options, ANY, "redis()");
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    return { source: sourceOf(given as Partial<Given>), ...common(options) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new KvError(error.code, { message: error.message, operation: "open", adapter: "redis" });
  }
}

/** The options of every way to connect. */
interface Given {
  url: string;
  host: string;
  port: number;
  db: number;
  username: string;
  password: string;
  sentinelUsername: string;
  sentinelPassword: string;
  tls: boolean | TlsOptions;
  sentinels: readonly (RedisNode | string)[];
  name: string;
  cluster: readonly (RedisNode | string)[];
  client: Redis | Cluster;
  connectTimeout: number;
  socketTimeout: number;
  connectionName: string;
}

function common(options: RedisOptions): Omit<Settings, "source"> {
  const {
    prefix = "kv:",
    partitions = 1,
    ordered = true,
    busyTimeout = 4500,
    waitForReconnect = false,
  } = options;
  demand(
    typeof prefix === "string" && prefix.isWellFormed() && !/[{}]/.test(prefix),
    "prefix",
    "a string without { and }, because a Cluster chooses the slot by them",
  );
  demand(
    Number.isInteger(partitions) && partitions >= 1 && partitions <= 1024,
    "partitions",
    "an integer from 1 to 1024",
  );
  demand(typeof ordered === "boolean", "ordered", "true or false");
  demand(
    isMilliseconds(busyTimeout, 0),
    "busyTimeout",
    "a number of milliseconds from 0 to 2,147,483,647, which is 24.8 days",
  );
  demand(typeof waitForReconnect === "boolean", "waitForReconnect", "true or false");
  return { prefix, partitions, ordered, busyTimeout, waitForReconnect };
}

function sourceOf(given: Partial<Given>): Settings["source"] {
  if (given.client !== undefined) {
    refuseUnknownOptions(given, new Set(CLIENT), "redis({ client })");
    const { client } = given;
    demandHonest(client);
    return client;
  }
  const known =
    given.cluster !== undefined
      ? { names: CLUSTER, of: "redis({ cluster })" }
      : given.sentinels !== undefined
        ? { names: SENTINEL, of: "redis({ sentinels })" }
        : { names: SERVER, of: "redis({ url })" };
  refuseUnknownOptions(given, new Set(known.names), known.of);
  return accountOf(given);
}

function accountOf(given: Partial<Given>): Account {
  const { connectTimeout = 4500, socketTimeout = 4500, connectionName = "kv" } = given;
  const { address, ...fromUrl } = addressOf(given);
  const db = given.db ?? fromUrl.db ?? 0;
  const tls = given.tls ?? fromUrl.tls ?? false;
  demand(tls !== false || fromUrl.tls !== true, "tls", "left out or true with rediss://, which requires TLS");
  for (const option of ["username", "password", "sentinelUsername", "sentinelPassword"] as const)
    demand(given[option] === undefined || typeof given[option] === "string", option, "a string");
  demand(Number.isInteger(db) && db >= 0, "db", "a non-negative integer");
  demand(
    typeof tls === "boolean" || (typeof tls === "object" && tls !== null),
    "tls",
    "true, false or an object",
  );
  demand(
    isMilliseconds(connectTimeout, 1),
    "connectTimeout",
    "a number of milliseconds from 1 to 2,147,483,647, which is 24.8 days",
  );
  demand(
    isMilliseconds(socketTimeout, 1),
    "socketTimeout",
    "a number of milliseconds from 1 to 2,147,483,647, which is 24.8 days",
  );
  demand(
    typeof connectionName === "string" && /^[!-~]+$/.test(connectionName),
    "connectionName",
    "ASCII without spaces",
  );
  return {
    address,
    username: given.username ?? fromUrl.username,
    password: given.password ?? fromUrl.password,
    sentinelUsername: given.sentinelUsername,
    sentinelPassword: given.sentinelPassword,
    db,
    tls: tls === true ? {} : tls === false ? undefined : tls,
    connectTimeout,
    socketTimeout,
    connectionName,
  };
}
