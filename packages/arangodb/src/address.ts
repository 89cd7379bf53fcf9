import { Refusal } from "@kv/core";

/** Where the servers are, and the other settings of a URL. */
export interface Addressed {
  /** In arangojs's form: only scheme, host and port. */
  readonly urls: readonly string[];
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly database?: string | undefined;
}

const SCHEMES: Readonly<Record<string, "http:" | "https:">> = {
  "http:": "http:",
  "https:": "https:",
  "arangodb:": "http:",
  "arangodbs:": "https:",
};

const DEFAULT_PORT = "8529";

/** @throws Refusal `KV_INVALID_OPTION`, which never quotes a URL: it may hold a password */
export function addressOf(url: unknown, urls: unknown): Addressed {
  if (urls === undefined) return parsed(url ?? `http://127.0.0.1:${DEFAULT_PORT}`, "url");
  if (url !== undefined) refuse("the option urls replaces url; give only one of them");
  if (!Array.isArray(urls) || urls.length === 0) refuse("the option urls must be a non-empty list of URLs");
  const each = urls.map((one: unknown) => parsed(one, "urls"));
  const [first] = each;
  for (const { username, password, database } of each) {
    if (username === first?.username && password === first?.password && database === first?.database)
      continue;
    refuse("all of the option urls must name the same user, password and database");
  }
  return { ...first, urls: each.flatMap((one) => one.urls) };
}

function parsed(text: unknown, option: string): Addressed {
  const url = typeof text === "string" ? URL.parse(text) : null;
  const scheme = url === null ? undefined : SCHEMES[url.protocol];
  if (url === null || scheme === undefined || url.hostname === "") {
    refuse(`the option ${option} must be http://, https:// or arangodb:// with host, port and database`);
  }
  if (url.search !== "" || url.hash !== "")
    refuse(`the option ${option} must not have a query or a fragment; pass options to arangodb() instead`);
  const path = decoded(url.pathname, option)
    .replace(/^\/(?:_db\/)?/, "")
    .replace(/\/$/, "");
  if (path.includes("/")) refuse(`the path of the option ${option} must be only the name of a database`);
  return {
    urls: [`${scheme}//${url.hostname}:${portOf(url, scheme)}`],
    username: url.username === "" ? undefined : decoded(url.username, option),
    password: url.password === "" ? undefined : decoded(url.password, option),
    database: path === "" ? undefined : path,
  };
}

/** `URL` drops a port that is the default of http: or https:, even if it was written. */
function portOf({ port, protocol, href }: URL, scheme: "http:" | "https:"): string {
  if (port !== "") return port;
  const written = /^[a-z]+:\/\/(?:[^/@]*@)?(?:\[[^\]]*\]|[^/:]*):(\d+)/i.exec(href)?.[1];
  if (written !== undefined) return written;
  return protocol === scheme ? (scheme === "http:" ? "80" : "443") : DEFAULT_PORT;
}

function decoded(text: string, option: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return refuse(`the option ${option} has a % that does not begin an escape; write %25 for it`);
  }
}

function refuse(message: string): never {
  throw new Refusal("KV_INVALID_OPTION", message);
}
