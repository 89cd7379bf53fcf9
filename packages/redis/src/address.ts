import { Refusal, refuseUnknownOptions } from "@kv/core";

/** A server's address. */
export interface RedisNode {
  readonly host: string;
  /** Default: 6379, and 26379 for a Sentinel. */
  readonly port?: number | undefined;
}

export type RedisAddress =
  | { readonly kind: "server"; readonly host: string; readonly port: number }
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "sentinels"; readonly sentinels: readonly HostAndPort[]; readonly name: string }
  | { readonly kind: "cluster"; readonly nodes: readonly HostAndPort[] };

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** The options that make up an address. */
interface Named {
  readonly url?: string;
  readonly host?: string;
  readonly port?: number;
  readonly sentinels?: readonly (RedisNode | string)[];
  readonly name?: string;
  readonly cluster?: readonly (RedisNode | string)[];
}

/** Where to connect, and the other settings of a URL. */
export interface Addressed {
  readonly address: RedisAddress;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly db?: number | undefined;
  readonly tls?: boolean | undefined;
}

/** @throws Refusal `KV_INVALID_OPTION`, which never quotes a URL: it may hold a password */
export function addressOf({ url, host, port, sentinels, name, cluster }: Named): Addressed {
  if (cluster !== undefined) return { address: { kind: "cluster", nodes: nodes(cluster, "cluster", 6379) } };
  if (sentinels !== undefined) {
    if (typeof name !== "string" || name === "")
      refuse("redis({ sentinels }) needs the option name, the master's name");
    return { address: { kind: "sentinels", sentinels: nodes(sentinels, "sentinels", 26379), name } };
  }
  if (url === undefined) {
    return { address: { kind: "server", ...node({ host: host ?? "127.0.0.1", port }, "host", 6379) } };
  }
  if (host !== undefined || port !== undefined)
    refuse("the option url already names host and port; leave out the options host and port");
  return parsed(url);
}

function parsed(text: string): Addressed {
  const url = typeof text === "string" ? URL.parse(text) : null;
  if (url === null || !["redis:", "rediss:", "unix:", "redis+unix:"].includes(url.protocol)) {
    refuse("the option url must be redis://, rediss:// or unix:// with host, port and database");
  }
  const account = {
    username: url.username === "" ? undefined : decoded(url.username),
    password: url.password === "" ? undefined : decoded(url.password),
  };
  const known = new Set(["db"]);
  for (const parameter of url.searchParams.keys()) {
    if (!known.has(parameter))
      refuse(`the url has an unknown parameter ${JSON.stringify(parameter)}; the only one allowed is db`);
  }
  const path = decoded(url.pathname);
  if (url.hostname === "") {
    if (path.length < 2) refuse("the option url must name a host, or the path of a socket");
    return {
      address: { kind: "socket", path },
      ...account,
      db: databaseOf(url.searchParams.get("db") ?? ""),
    };
  }
  const address = {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? 6379 : Number(url.port),
  };
  return {
    address: { kind: "server", ...address },
    ...account,
    db: databaseOf(url.searchParams.get("db") ?? path.replace(/^\//, "")),
    tls: url.protocol === "rediss:",
  };
}

function databaseOf(text: string): number | undefined {
  if (text === "") return undefined;
  if (!/^\d{1,9}$/.test(text))
    refuse("the path of the option url must be the number of a database, as in redis://host:6379/0");
  return Number(text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return refuse("the option url has a % that does not begin an escape; write %25 for it");
  }
}

function nodes(given: readonly (RedisNode | string)[], option: string, port: number): HostAndPort[] {
  if (!Array.isArray(given) || given.length === 0)
    refuse(`the option ${option} must be a non-empty list of nodes, "host:port" or { host, port }`);
  return given.map((one: RedisNode | string) => node(one, option, port));
}

const NODE: ReadonlySet<string> = new Set(["host", "port"]);

function node(given: RedisNode | string, option: string, defaultPort: number): HostAndPort {
  if (typeof given !== "string") refuseUnknownOptions(given ?? null, NODE, `a node of ${option}`);
  const { host, port = defaultPort } = typeof given === "string" ? split(given) : given;
  if (typeof host !== "string" || host === "") refuse(`the option ${option} must name a host`);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    refuse(`a port of ${option} must be from 1 to 65535`);
  return { host, port };
}

function split(text: string): RedisNode {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text);
  return {
    host: match?.[1] ?? match?.[2] ?? "",
    port: match?.[3] === undefined ? undefined : Number(match[3]),
  };
}

function refuse(message: string): never {
  throw new Refusal("KV_INVALID_OPTION", message);
}
