import { type KvErrorCode, Refusal } from "@kv/core";
import { codeOf, wordOf } from "../errors.ts";

/** What to do about a failure, which the server's own words follow. */
interface Explanation {
  readonly code: KvErrorCode;
  readonly text: string;
  /** Default: as the code says. */
  readonly retryable?: boolean;
}

/** By the word that a server's reply begins with, or the system's code. */
const BY_WORD: Readonly<Record<string, Explanation>> = {
  WRONGPASS: {
    code: "KV_UNAVAILABLE",
    text: "the server refuses the username or password; check the options username and password",
    retryable: false,
  },
  NOAUTH: {
    code: "KV_UNAVAILABLE",
    text: "the server wants a password; give the options username and password",
    retryable: false,
  },
  DENIED: {
    code: "KV_UNAVAILABLE",
    text: "the server is in protected mode and answers its own machine only; give it a password, or the option bind",
    retryable: false,
  },
  OOM: {
    code: "KV_CAPACITY",
    text: "the server's memory is full; free space, raise maxmemory, or let it evict what has a deadline (maxmemory-policy volatile-lru)",
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
    text: "the server takes no writes while it has fewer replicas than min-replicas-to-write asks for; try again when they are back",
  },
  BUSY: {
    code: "KV_UNAVAILABLE",
    text: "the server is busy with another client's script; try again, or end the script with SCRIPT KILL",
  },
  LOADING: {
    code: "KV_UNAVAILABLE",
    text: "the server is still loading its data; try again when it has done",
  },
  MASTERDOWN: {
    code: "KV_UNAVAILABLE",
    text: "the server is a replica that has lost its master and does not answer meanwhile (replica-serve-stale-data no); try again, or connect to the master",
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
    text: "the server does not speak TLS at this port; use redis:// instead of rediss://, leave out the option tls, or give the port for TLS",
    retryable: false,
  },
  ERR_SSL_PACKET_LENGTH_TOO_LONG: {
    code: "KV_UNAVAILABLE",
    text: "the server does not speak TLS at this port; use redis:// instead of rediss://, leave out the option tls, or give the port for TLS",
    retryable: false,
  },
  DEPTH_ZERO_SELF_SIGNED_CERT: {
    code: "KV_UNAVAILABLE",
    text: "the server's certificate is signed by itself; give its authority by the option tls: { ca }",
    retryable: false,
  },
  SELF_SIGNED_CERT_IN_CHAIN: {
    code: "KV_UNAVAILABLE",
    text: "the server's certificate is of an unknown authority; give it by the option tls: { ca }",
    retryable: false,
  },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: {
    code: "KV_UNAVAILABLE",
    text: "the server's certificate is of an unknown authority; give it by the option tls: { ca }",
    retryable: false,
  },
  CERT_HAS_EXPIRED: {
    code: "KV_UNAVAILABLE",
    text: "the server's certificate has expired; renew it",
    retryable: false,
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    code: "KV_UNAVAILABLE",
    text: "the server's certificate is for another name; connect by that name, or give it by the option tls: { servername }",
    retryable: false,
  },
};

/** By what a message says. The first that fits counts. */
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
    text: "the server does not permit the user these keys; grant those that begin with the store's prefix (ACL SETUSER … ~kv:*), or use the option prefix",
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
    text: "the value is larger than the server takes; store less, or raise its setting proto-max-bulk-len",
  },
  {
    pattern: /unknown command ['`‘]?(eval|evalsha)\b/i,
    code: "KV_UNSUPPORTED",
    text: "the server runs no scripts, and every write is one; allow EVAL and EVALSHA (they may be renamed, or forbidden by a proxy), or use another server",
  },
  {
    pattern: /(unknown|unsupported) command/i,
    code: "KV_UNSUPPORTED",
    text: "the server lacks a command that is needed; use Redis or Valkey 6.2 or newer that has not renamed it, without a proxy that forbids it",
  },
  {
    pattern: /max number of clients/,
    code: "KV_UNAVAILABLE",
    text: "the server has as many connections as it takes; close some, or raise its setting maxclients",
  },
  {
    pattern: /Unknown RESP type/,
    code: "KV_UNAVAILABLE",
    text: "what answers at this address is no Redis (a web server, or a port for TLS); check host and port, and whether rediss:// is needed",
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
    text: "the client subscribes, and a subscribed connection answers nothing else; hand in a client for the store alone",
    retryable: false,
  },
  {
    pattern: /^Command timed out/,
    code: "KV_TIMEOUT",
    text: "the client's commandTimeout was over before the answer came; give it more time",
  },
];

const MOVED: Explanation = {
  code: "KV_UNAVAILABLE",
  text: "the server is a node of a Cluster, and what was asked for is on another one; use the option cluster in place of url",
  retryable: false,
};

/**
 * Why the server, or what is in its place, refused: a sentence and what to do. `undefined`: it has no more to say than
 * its own message.
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

/** Whether trying again does not help: another account or another address is needed. */
export function isFinal(refusal: Refusal | undefined): refusal is Refusal {
  return refusal !== undefined && refusal.retryable === false;
}
