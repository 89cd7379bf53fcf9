import { isError, type KvErrorCode, Refusal } from "@kv/core";

/** The code for each word that an error reply begins with. */
const REPLIES: Readonly<Record<string, KvErrorCode>> = {
  // Refused temporarily: nothing was done.
  LOADING: "KV_UNAVAILABLE",
  BUSY: "KV_UNAVAILABLE",
  TRYAGAIN: "KV_UNAVAILABLE",
  CLUSTERDOWN: "KV_UNAVAILABLE",
  MASTERDOWN: "KV_UNAVAILABLE",
  MOVED: "KV_UNAVAILABLE",
  ASK: "KV_UNAVAILABLE",
  NOREPLICAS: "KV_UNAVAILABLE",
  NOSCRIPT: "KV_UNAVAILABLE",
  UNBLOCKED: "KV_UNAVAILABLE",
  // Access denied.
  WRONGPASS: "KV_UNAVAILABLE",
  NOAUTH: "KV_UNAVAILABLE",
  NOPERM: "KV_UNAVAILABLE",
  DENIED: "KV_UNAVAILABLE",
  OOM: "KV_CAPACITY",
  MISCONF: "KV_CAPACITY",
  READONLY: "KV_READ_ONLY",
  WRONGTYPE: "KV_CORRUPT",
};

/** Refusals that a retry may overcome. */
const MOMENTARY: ReadonlySet<string> = new Set([
  "LOADING",
  "BUSY",
  "TRYAGAIN",
  "CLUSTERDOWN",
  "MASTERDOWN",
  "MOVED",
  "ASK",
]);

const NETWORK: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EACCES",
  "ENOENT",
  "EADDRNOTAVAIL",
]);

/** Messages of ioredis when it has no connection, or has lost it. */
const DISCONNECTED =
  /Connection is closed|isn't writeable|isn't ready|Command aborted|Reached the max retries|startup nodes|Socket timeout|Cluster is ended|Failed to refresh slots cache|sentinels are unreachable|ended unexpectedly|connect ETIMEDOUT/i;

/**
 * A failure of the server or of the connection, without the command that ioredis attaches: its arguments may hold a
 * password or a value.
 */
export class RedisFailure extends Error {
  /** The word that the server's reply begins with, or the system's code. */
  readonly code: string | undefined;

  constructor(message: string, code: string | undefined) {
    super(message);
    this.name = "RedisFailure";
    this.code = code;
  }
}

/** Turns errors of ioredis into failures that may be shown: without secrets. */
export class Scrubber {
  readonly #secrets: readonly string[];

  constructor(secrets: readonly (string | undefined)[]) {
    this.#secrets = secrets.filter((secret) => secret !== undefined && secret.length > 0) as string[];
  }

  failure(error: unknown): Error {
    if (error instanceof Refusal || error instanceof RedisFailure) return error;
    const last = lastNodeErrorOf(error);
    const message = isError(error) ? error.message : String(error);
    const text = last === undefined ? message : `${message} (${last.message})`;
    return new RedisFailure(
      this.#clean(text),
      codeOf(error) ?? (last === undefined ? undefined : codeOf(last)),
    );
  }

  #clean(message: string): string {
    let clean = message;
    for (const secret of this.#secrets) {
      clean = clean.replaceAll(secret, "***").replaceAll(encodeURIComponent(secret), "***");
    }
    return clean;
  }
}

/** The error that ioredis attaches to "failed to refresh slots cache". */
function lastNodeErrorOf(error: unknown): Error | undefined {
  if (!isError(error) || !("lastNodeError" in error)) return undefined;
  return isError(error.lastNodeError) ? error.lastNodeError : undefined;
}

/** The word that a server's reply begins with, or the system's code. */
export function codeOf(error: unknown): string | undefined {
  if (!isError(error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  const { message } = error;
  // "Too many Cluster redirections. Last error: ReplyError: TRYAGAIN …", "EXECABORT … because of: OOM …"
  const nested = /(?:Last error: (?:\w*Error: )?|because of: -?|^-?)([A-Z]{2,})\b/.exec(message);
  return nested?.[1];
}

/** Whether the server refused a command only temporarily, having done nothing. */
export function isMomentary(error: unknown, isCluster: boolean): boolean {
  if (!(error instanceof RedisFailure) || error.code === undefined) return false;
  // Only a client that knows the Cluster follows it to another node.
  return MOMENTARY.has(error.code) && (isCluster || (error.code !== "MOVED" && error.code !== "ASK"));
}

export function errorCode(error: unknown): KvErrorCode | undefined {
  if (!isError(error)) return undefined;
  if (error instanceof Refusal) return error.code;
  const code = codeOf(error);
  if (code !== undefined) {
    const known = REPLIES[code];
    if (known !== undefined) return known;
    if (NETWORK.has(code)) return "KV_UNAVAILABLE";
  }
  const word = wordOf(error);
  if (word !== undefined) return REPLIES[word];
  if (/^Command timed out/.test(error.message)) return "KV_TIMEOUT";
  if (DISCONNECTED.test(error.message)) return "KV_UNAVAILABLE";
  return undefined;
}

/** The word of a reply inside a script's error, which reports the reply within a sentence. */
export function wordOf({ message }: Error): string | undefined {
  if (/\bThe user executing the script can't\b|\bACL failure in script\b/.test(message)) return "NOPERM";
  return /\b(OOM(?= command not allowed)|READONLY(?= You can't write)|NOREPLICAS|MISCONF|WRONGTYPE)\b/.exec(
    message,
  )?.[1];
}
