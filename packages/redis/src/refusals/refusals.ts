import { type KvErrorCode, Refusal } from "@kv/core";
import { codeOf, wordOf } from "../errors.ts";

/** Why something failed and what to do; the server's own message is appended. */
interface Explanation {
  readonly code: KvErrorCode;
  readonly text: string;
  /** Default: the code's. */
  readonly retryable?: boolean;
}

/** By the first word of a server's reply, or the system's code. */
const BY_WORD: Readonly<Record<string, Explanation>> = {
  WRONGPASS: {
    code: "KV_UNAVAILABLE",
    text: "the server refuses the username or password; check the options username and password",
    retryable: false,
  },
  NOAUTH: {
    code: "KV_UNAVAILABLE",
    text: "the server requires a password; give the options username and password",
    retryable: false,
  },
  DENIED: {
    code: "KV_UNAVAILABLE",
    text: "the server is in protected mode and answers only its own machine; set a password on the server, or its setting bind",
    retryable: false,
  },
  OOM: {
    code: "KV_CAPACITY",
    text: "the server's memory is full; free space, raise maxmemory, or let it evict entries with a deadline (maxmemory-policy volatile-lru)",
  },
  MISCONF: {
    code: "KV_CAPACITY",
    text: "the server could not save its data to disk and refuses writes until it can; see its log, free disk space, or set stop-writes-on-bgsave-error to no",
  },
  READONLY: {
    code: "KV_READ_ONLY",
    text: "the server is a replica, which can only be read; connect to its master, or through Sentinels (option sentinels)",
  },
  NOREPLICAS: {
    code: "KV_UNAVAILABLE",
    text: "the server accepts no writes while it has fewer replicas than min-replicas-to-write requires; try again when they are back",
  },
  BUSY: {
    code: "KV_UNAVAILABLE",
    text: "the server is busy with another client's script; try again, or end the script with SCRIPT KILL",
  },
  LOADING: {
    code: "KV_UNAVAILABLE",
    text: "the server is still loading its data; try again when it has finished",
  },
  MASTERDOWN: {
    code: "KV_UNAVAILABLE",
    text: "the server is a replica that has lost its master and does not answer until it is back (replica-serve-stale-data no); try again, or connect to the master",
  },
  CLUSTERDOWN: {
    code: "KV_UNAVAILABLE",
    text: "the Cluster does not serve all of its slots; try again when it has elected a master, or see CLUSTER INFO",
  },
  TRYAGAIN: {
    code: "KV_UNAVAILABLE",
    text: "the keys are being moved from one node of the Cluster to another; try again",
  },
  ERR_SSL_WRONG_VERSION_NUMBER: {
    code: "KV_UNAVAILABLE",
    text: "the server does not speak TLS at this port; use redis:// instead of rediss://, leave out the option tls, or connect to the TLS port",
    retryable: false,
  },
  ERR_SSL_PACKET_LENGTH_TOO_LONG: {
    code: "KV_UNAVAILABLE",
    text: "the server does not speak TLS at this port; use redis:// instead of rediss://, leave out the option tls, or connect to the TLS port",
    retryable: false,
  },
  DEPTH_ZERO_SELF_SIGNED_CERT: {
    code: "KV_UNAVAILABLE",
    text: "the server's certificate is self-signed; pass it in the option tls: { ca }",
    retryable: false,
  },
  SELF_SIGNED_CERT_IN_CHAIN: {
    code: "KV_UNAVAILABLE",
    text: "the server's certificate comes from an unknown authority; pass the authority's certificate in the option tls: { ca }",
    retryable: false,
  },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: {
    code: "KV_UNAVAILABLE",
    text: "the server's certificate comes from an unknown authority; pass the authority's certificate in the option tls: { ca }",
    retryable: false,
  },
  CERT_HAS_EXPIRED: {
    code: "KV_UNAVAILABLE",
    text: "the server's certificate has expired; renew it",
    retryable: false,
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    code: "KV_UNAVAILABLE",
    text: "the server's certificate is for another name; connect by that name, or pass it in the option tls: { servername }",
    retryable: false,
  },
};

/** By the text of a message; the first match counts. */
const BY_TEXT: readonly (Explanation & { readonly pattern: RegExp })[] = [
  {
    pattern: /^ERR (AUTH|invalid password)/,
    ...(BY_WORD["WRONGPASS"] as Explanation),
  },
  {
    pattern: /^NOPERM\b.*\bchannel/i,
    code: "KV_UNAVAILABLE",
    text: "the server does not permit the user this channel; grant channels that begin with the store's prefix (ACL SETUSER … &kv:*)",
    retryable: false,
  },
  {
    pattern: /^NOPERM\b.*\bkey|\bcan't access at least one of the keys\b/i,
    code: "KV_UNAVAILABLE",
    text: "the server does not permit the user these keys; grant the keys that begin with the store's prefix (ACL SETUSER … ~kv:*), or use the option prefix",
    retryable: false,
  },
  {
    pattern: /^NOPERM\b|\bThe user executing the script can't\b|\bACL failure in script\b/,
    code: "KV_UNAVAILABLE",
    text: "the server does not permit the user a command that the store needs; grant the commands listed in the README under Permissions",
    retryable: false,
  },
  {
    pattern: /invalid bulk length|exceeds maximum allowed size/,
    code: "KV_CAPACITY",
    text: "the value is larger than the server accepts; store less, or raise its setting proto-max-bulk-len",
  },
  {
    pattern: /unknown command ['`‘]?(eval|evalsha)\b/i,
    code: "KV_UNSUPPORTED",
    text: "the server does not run scripts, which every write needs; allow EVAL and EVALSHA (they may be renamed, or forbidden by a proxy), or use another server",
  },
  {
    pattern: /(unknown|unsupported) command/i,
    code: "KV_UNSUPPORTED",
    text: "the server lacks a command that the store needs; use Redis or Valkey 6.2 or newer, without renamed commands or a proxy that forbids them",
  },
  {
    pattern: /max number of clients/,
    code: "KV_UNAVAILABLE",
    text: "the server has reached its limit of connections; close some, or raise its setting maxclients",
  },
  {
    pattern: /Unknown RESP type/,
    code: "KV_UNAVAILABLE",
    text: "the answer at this address comes from no Redis server (but from a web server, or a TLS port); check host and port, and whether rediss:// is needed",
    retryable: false,
  },
  {
    pattern: /cluster support disabled/,
    code: "KV_UNAVAILABLE",
    text: "the server is not part of a Cluster; use the option url in place of cluster",
    retryable: false,
  },
  {
    pattern: /in subscriber mode|monitoring mode/,
    code: "KV_UNAVAILABLE",
    text: "the client subscribes, and a subscribed connection answers no other commands; hand in a client that only the store uses",
    retryable: false,
  },
  {
    pattern: /^Command timed out/,
    code: "KV_TIMEOUT",
    text: "the client's commandTimeout ran out before the answer came; raise it",
  },
];

const MOVED: Explanation = {
  code: "KV_UNAVAILABLE",
  text: "the server is a node of a Cluster, and the key is on another node; use the option cluster in place of url",
  retryable: false,
};

/**
 * Why the server, or another program at its address, refused, and what to do. `undefined`: there is nothing to add to the
 * failure's own message.
 */
export function refusalOf(failure: Error, isCluster: boolean): Refusal | undefined {
  const explanation = explanationOf(failure, isCluster);
  if (explanation === undefined) return undefined;
  const { code, text, retryable } = explanation;
  return new Refusal(code, `${text} (${failure.message})`, {
    cause: failure,
    ...(retryable === undefined ? undefined : { retryable }),
  });
}

function explanationOf(failure: Error, isCluster: boolean): Explanation | undefined {
  const found = BY_TEXT.find(({ pattern }) => pattern.test(failure.message));
  if (found !== undefined) return found;
  const word = codeOf(failure);
  if (!isCluster && (word === "MOVED" || word === "ASK")) return MOVED;
  const direct = word === undefined ? undefined : BY_WORD[word];
  return direct ?? BY_WORD[wordOf(failure) ?? ""];
}

/** Whether a retry cannot help: another account or another address is needed. */
export function isFinal(refusal: Refusal | undefined): refusal is Refusal {
  return refusal !== undefined && refusal.retryable === false;
}
