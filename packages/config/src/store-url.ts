import { invalidOption } from "./invalid-option.ts";

/** The parts of a store's URL, not yet interpreted for an adapter. */
export interface StoreUrl {
  /** In lower case, without the colon. */
  readonly scheme: string;
  /** The whole URL, as given. */
  readonly href: string;
  /** The text between the scheme's colon and the first `?`, still escaped. */
  readonly body: string;
  /** The parameters after the first `?`, unescaped. */
  readonly query: ReadonlyMap<string, string>;
}

const SCHEME = /^([a-z][a-z0-9+.-]*):/i;

/**
 * Splits a URL into its parts. Does not use `URL`, which would rewrite `sqlite:/./app.db`, lose the backslashes of
 * `sqlite:C:\app.db`, and does not support relative paths.
 * @throws KvError `KV_INVALID_OPTION`
 */
export function parseStoreUrl(href: string): StoreUrl {
  const scheme = SCHEME.exec(href)?.[1];
  if (scheme === undefined) {
    throw invalidOption(
      "the URL does not begin with an adapter's name and a colon: write for example " +
        '"memory:" or "sqlite:./app.db". Names of entries in a kv.config file are not supported by this version',
    );
  }
  const rest = href.slice(scheme.length + 1);
  const mark = rest.indexOf("?");
  const body = mark === -1 ? rest : rest.slice(0, mark);
  const query = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(mark === -1 ? "" : rest.slice(mark + 1))) {
    if (query.has(name)) throw invalidOption(`the URL gives ${nameOfParameter(name)} twice`, scheme);
    query.set(name, value);
  }
  return { scheme: scheme.toLowerCase(), href, body, query };
}

function nameOfParameter(name: string): string {
  return `the option ${JSON.stringify(name.slice(0, 40))}`;
}

/**
 * The file path in a URL: `./app.db`, `/var/app.db`, `///var/app.db`, `C:\app.db`; `undefined` if it is empty.
 * @throws KvError `KV_INVALID_OPTION`
 */
export function pathOf({ scheme, body }: StoreUrl): string | undefined {
  if (body.includes("#")) throw invalidOption('write "%23" for a "#" in the path of a URL', scheme);
  if (/^\/\/[^/]/.test(body)) {
    throw invalidOption(
      `"${scheme}://" would be followed by a host, which files do not have: write ${scheme}:./name for a relative path, ` +
        `${scheme}:/name for an absolute one`,
      scheme,
    );
  }
  const path = unescaped(scheme, body.startsWith("//") ? body.slice(2) : body);
  // file:///C:/data is how URLs write C:/data.
  return (/^\/[a-z]:[\\/]/i.test(path) ? path.slice(1) : path) || undefined;
}

function unescaped(scheme: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidOption('the path has a "%" that is not part of an escape: write "%25" for a "%"', scheme);
  }
}
