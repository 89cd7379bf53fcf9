import { isError, type KvErrorCode, Refusal } from "@kv/core";

/** The server's error numbers that the adapter distinguishes. */
export const ERROR = {
  forbidden: 11,
  lockTimeout: 18,
  locked: 28,
  deadlock: 29,
  readOnly: 1004,
  conflict: 1200,
  documentNotFound: 1202,
  collectionNotFound: 1203,
  duplicateName: 1207,
  uniqueConstraint: 1210,
  databaseNotFound: 1228,
  tryAgain: 1302,
  writeConcern: 1429,
  killed: 1500,
} as const;

/** Errors that concurrent writers cause each other: nothing was written, and a retry may succeed. */
const MOMENTARY: ReadonlySet<number> = new Set([
  ERROR.lockTimeout,
  ERROR.locked,
  ERROR.deadlock,
  ERROR.conflict,
  ERROR.documentNotFound,
  ERROR.uniqueConstraint,
  ERROR.tryAgain,
]);

const CODES: ReadonlyMap<number, KvErrorCode> = new Map<number, KvErrorCode>([
  // The server or one of its shards is temporarily unavailable: starting, stopping, overloaded, changing leaders, short of
  // replicas, or still creating a collection.
  [30, "KV_UNAVAILABLE"],
  [503, "KV_UNAVAILABLE"],
  [ERROR.writeConcern, "KV_UNAVAILABLE"],
  [1447, "KV_UNAVAILABLE"],
  [1448, "KV_UNAVAILABLE"],
  [1456, "KV_UNAVAILABLE"],
  [1457, "KV_UNAVAILABLE"],
  [1460, "KV_UNAVAILABLE"],
  [1461, "KV_UNAVAILABLE"],
  [1464, "KV_UNAVAILABLE"],
  [1465, "KV_UNAVAILABLE"],
  [1478, "KV_UNAVAILABLE"],
  [1481, "KV_UNAVAILABLE"],
  [1490, "KV_UNAVAILABLE"],
  [1491, "KV_UNAVAILABLE"],
  [1495, "KV_UNAVAILABLE"],
  [1496, "KV_UNAVAILABLE"],
  [21003, "KV_UNAVAILABLE"],
  ...[...MOMENTARY].map((number): [number, KvErrorCode] => [number, "KV_UNAVAILABLE"]),
  [ERROR.forbidden, "KV_UNAVAILABLE"],
  [ERROR.databaseNotFound, "KV_UNAVAILABLE"],
  [ERROR.collectionNotFound, "KV_UNAVAILABLE"],
  [ERROR.killed, "KV_TIMEOUT"],
  [ERROR.readOnly, "KV_READ_ONLY"],
  // Memory, disk, a transaction's size, a proxy's limit for bodies.
  [3, "KV_CAPACITY"],
  [15, "KV_CAPACITY"],
  [32, "KV_CAPACITY"],
  [413, "KV_CAPACITY"],
  [1104, "KV_CAPACITY"],
  [1216, "KV_CAPACITY"],
]);

/**
 * Errors with a status from 500 on that can only come before a commit: locks, the memory limit of a query, a full disk, a
 * server that accepts no requests, a shard whose server is not its leader or lacks replicas. Any other error may come after
 * the commit: the server commits first, and then waits for the disk or for the coordinator.
 */
const BEFORE_COMMIT: ReadonlySet<number> = new Set([
  ...MOMENTARY,
  32,
  503,
  1104,
  ERROR.writeConcern,
  1490,
  1491,
  1492,
  1495,
  1496,
  21003,
]);

/** The coordinator has lost the answer of the server behind it, whatever status it reports. */
const LOST_IN_CLUSTER: ReadonlySet<number> = new Set([21, 1457, 1465, 1474]);

/** How a failed request ended. */
export type Outcome =
  /** The server refused it and did nothing. */
  | "refused"
  /** The server reported an error, perhaps after a commit. A request that only reads had no effect. */
  | "failed"
  /** No connection was established. */
  | "not sent"
  /** There was a connection, but no answer. */
  | "unknown";

/**
 * A failure of the server or the connection, without the request that arangojs attaches: its headers hold the password, and
 * its body holds values.
 */
export class ArangoFailure extends Error {
  readonly outcome: Outcome;
  /** The server's number, or the status of an answer without one. */
  readonly errorNum: number | undefined;
  /** The answer's HTTP status, if there was an answer. */
  readonly status: number | undefined;
  /** The system's or undici's code. */
  readonly code: string | undefined;

  constructor(
    message: string,
    outcome: Outcome,
    details: {
      readonly errorNum?: number | undefined;
      readonly status?: number | undefined;
      readonly code?: string | undefined;
    } = {},
  ) {
    super(message);
    this.name = "ArangoFailure";
    this.outcome = outcome;
    this.errorNum = details.errorNum;
    this.status = details.status;
    this.code = details.code;
  }
}

/** Turns errors of arangojs into failures that may be shown: without secrets. */
export class Scrubber {
  readonly #secrets: readonly string[];

  constructor(secrets: readonly (string | undefined)[]) {
    this.#secrets = secrets.filter((secret) => secret !== undefined && secret.length > 0) as string[];
  }

  failure(error: unknown): Error {
    if (error instanceof Refusal || error instanceof ArangoFailure) return error;
    if (isArango(error)) {
      const text = this.#clean(`${error.message} (${error.errorNum})`);
      const { errorNum, code: status = 500 } = error;
      const isAmbiguous = LOST_IN_CLUSTER.has(errorNum) || (status >= 500 && !BEFORE_COMMIT.has(errorNum));
      const outcome = isAmbiguous ? "failed" : "refused";
      return new ArangoFailure(text, outcome, { errorNum, status });
    }
    if (!isError(error) || !("isSafeToRetry" in error)) {
      const text = this.#clean(isError(error) ? error.message : String(error));
      // A request that is too large for a string was never sent.
      return new ArangoFailure(text, isError(error) && error.name === "RangeError" ? "refused" : "unknown");
    }
    return this.#networkFailure(error);
  }

  #networkFailure(error: Error & { readonly isSafeToRetry: unknown }): Error {
    const status = "code" in error && typeof error.code === "number" ? error.code : undefined;
    if (status !== undefined) {
      // A proxy's answer, since the server's own have a body with an error number. If the proxy gave up or failed, the server
      // may go on; only with a 503 did the proxy not ask it.
      const outcome = (status >= 500 && status !== 503) || status === 408 ? "unknown" : "refused";
      return new ArangoFailure(proxyMessage(status, this.#clean(error.message)), outcome, {
        errorNum: status,
        status,
      });
    }
    if (error.name === "ResponseTimeoutError")
      return new ArangoFailure("the server did not answer in time", "unknown", { code: "ETIMEDOUT" });
    if (error.name === "RequestAbortedError")
      return new ArangoFailure("the connection was closed", "unknown", { code: "ECONNABORTED" });
    const code = codeIn(error);
    const unsent = error.isSafeToRetry === true || (code !== undefined && UNSENT.has(code));
    return new ArangoFailure(this.#clean(error.message), unsent ? "not sent" : "unknown", { code });
  }

  #clean(message: string): string {
    // A caller's arangojs may be configured with an address that contains a password.
    let clean = message.replace(/\/\/[^\s/@]*@/g, "//***@");
    for (const secret of this.#secrets) {
      clean = clean.replaceAll(secret, "***").replaceAll(encodeURIComponent(secret), "***");
    }
    return clean;
  }
}

/** Checked by its properties, not its class: a client that was handed in may come from another copy of arangojs. */
function isArango(error: unknown): error is Error & { readonly errorNum: number; readonly code?: number } {
  return isError(error) && "errorNum" in error && typeof error.errorNum === "number";
}

const UNSENT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** The first code in the chain of causes; after several attempts at once (IPv4 and IPv6), the code of the first. */
function codeIn(error: unknown): string | undefined {
  let current: unknown = error;
  for (let depth = 0; depth < 8 && isError(current); depth++) {
    if ("code" in current && typeof current.code === "string" && current.code !== "") return current.code;
    current = "errors" in current && Array.isArray(current.errors) ? current.errors[0] : current.cause;
  }
  return undefined;
}

/** Whether concurrent writers are the cause, and nothing was written. */
export function isMomentary(error: unknown): boolean {
  return error instanceof ArangoFailure && error.errorNum !== undefined && MOMENTARY.has(error.errorNum);
}

export function isNumbered(error: unknown, ...errorNums: readonly number[]): boolean {
  if (!(error instanceof ArangoFailure) || error.errorNum === undefined) return false;
  return (error.outcome === "refused" || error.outcome === "failed") && errorNums.includes(error.errorNum);
}

/** Whether a request may have taken effect although it failed, or may still do so. */
export function mayHaveTakenEffect(error: unknown): boolean {
  return error instanceof ArangoFailure && (error.outcome === "unknown" || error.outcome === "failed");
}

export function errorCode(error: unknown): KvErrorCode | undefined {
  if (!(error instanceof ArangoFailure)) return undefined;
  if (error.outcome === "unknown" || error.outcome === "not sent") return "KV_UNAVAILABLE";
  return error.errorNum === undefined ? undefined : CODES.get(error.errorNum);
}

/** The error to throw for a failed write, which says whether it may have been applied. `inCluster`: the server is in a cluster. */
export function writeFailure(error: unknown, inCluster = false): unknown {
  if (!(error instanceof ArangoFailure)) return error;
  const { message, errorNum } = error;
  if (mayHaveTakenEffect(error)) {
    return new Refusal(
      "KV_UNAVAILABLE",
      `${message}; the write may have been applied, or not; read the key before you repeat it`,
      { cause: error, retryable: false },
    );
  }
  if (error.status === 401) return loginRefusal(error) ?? error;
  if (errorNum === ERROR.readOnly && inCluster) {
    return new Refusal(
      "KV_UNAVAILABLE",
      `the cluster accepts no writes (${message}), because fewer replicas are in sync than the write concern requires, or the user has no right to write; nothing was written`,
      { cause: error, retryable: true },
    );
  }
  if (errorNum === ERROR.readOnly || errorNum === ERROR.forbidden) {
    return new Refusal(
      "KV_READ_ONLY",
      `this user may only read (${message}); grant it write access to the database, or end the server's read-only mode`,
      { cause: error },
    );
  }
  return error;
}

/** The refusal for a server that denies access, with its reason; `undefined`: the error has another cause. */
export function loginRefusal(error: unknown): Refusal | undefined {
  if (!(error instanceof ArangoFailure) || error.outcome !== "refused") return undefined;
  const { errorNum, message } = error;
  if (errorNum !== ERROR.forbidden && errorNum !== 401 && errorNum !== 403) return undefined;
  return new Refusal(
    "KV_UNAVAILABLE",
    `the server denies this user access (${message}); check the options username, password, token (one may have expired) and database, and the user's rights`,
    { cause: error, retryable: false },
  );
}

/** The message of an answer that does not come from the server itself. */
function proxyMessage(status: number, message: string): string {
  const reason = `the server answered ${status}: ${message}`;
  if (status === 413)
    return `${reason}; a proxy in front of it limits how large a request may be; raise that limit`;
  return reason;
}
