import { isError, type KvErrorCode, Refusal } from "@kv/core";

/** The server's error numbers that mean something to us. */
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

/** What concurrent writers make of each other: nothing was written, and it may go well the next time. */
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
  // The server or one of its shards is not at our disposal for the moment: starting, stopping, overloaded, changing
  // leaders, short of replicas, or not done yet with making what is needed.
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
 * server that takes no requests, a shard whose server is not its leader or lacks replicas. Any other one may have come
 * after it: the server commits first and then waits for the disk, or for what a coordinator wants to hear.
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

/** A coordinator has lost the answer of the server behind it, whatever status it gives that. */
const LOST_IN_CLUSTER: ReadonlySet<number> = new Set([21, 1457, 1465, 1474]);

/** How a request ended that was not answered as it should have been. */
export type Outcome =
  /** The server said so: what it refuses has not been done. */
  | "refused"
  /** The server said that something went wrong, perhaps after a commit. What only reads was refused. */
  | "failed"
  /** No connection came about. */
  | "not sent"
  /** There was a connection, and the answer is missing. */
  | "unknown";

/**
 * A failure of the server or the connection, without what arangojs attaches to it: the request, whose headers hold the
 * password and whose body holds values.
 */
export class ArangoFailure extends Error {
  readonly outcome: Outcome;
  /** The server's number, or the status of an answer without one. */
  readonly errorNum: number | undefined;
  /** Of an answer: its HTTP status. */
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

/** Makes of whatever arangojs throws what may be shown. */
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
      // A request too large for a string was never made.
      return new ArangoFailure(text, isError(error) && error.name === "RangeError" ? "refused" : "unknown");
    }
    return this.#networkFailure(error);
  }

  #networkFailure(error: Error & { readonly isSafeToRetry: unknown }): Error {
    const status = "code" in error && typeof error.code === "number" ? error.code : undefined;
    if (status !== undefined) {
      // A proxy's answer, since the server's have a body that says more. Behind one that gave up or failed, the server may
      // go on; only one that says 503 did not ask it.
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
    // What arangojs was configured with by others may be an address with a password in it.
    let clean = message.replace(/\/\/[^\s/@]*@/g, "//***@");
    for (const secret of this.#secrets) {
      clean = clean.replaceAll(secret, "***").replaceAll(encodeURIComponent(secret), "***");
    }
    return clean;
  }
}

/** Told by what it has, not by its class: a client that was handed in may come from another copy of arangojs. */
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

/** The first code in the chain of causes; of several attempts at once (IPv4 and IPv6) that of the first. */
function codeIn(error: unknown): string | undefined {
  let current: unknown = error;
  for (let depth = 0; depth < 8 && isError(current); depth++) {
    if ("code" in current && typeof current.code === "string" && current.code !== "") return current.code;
    current = "errors" in current && Array.isArray(current.errors) ? current.errors[0] : current.cause;
  }
  return undefined;
}

/** Whether concurrent writers are the reason, and nothing was written. */
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

/** Of a write: what is to be thrown, saying whether it may have been applied. `inCluster`: the server is part of one. */
export function writeFailure(error: unknown, inCluster = false): unknown {
  if (!(error instanceof ArangoFailure)) return error;
  const { message, errorNum } = error;
  if (mayHaveTakenEffect(error)) {
    return new Refusal(
      "KV_UNAVAILABLE",
      `${message}, so this write may have been applied, or not; read before you repeat it`,
      { cause: error, retryable: false },
    );
  }
  if (error.status === 401) return loginRefusal(error) ?? error;
  if (errorNum === ERROR.readOnly && inCluster) {
    return new Refusal(
      "KV_UNAVAILABLE",
      `the cluster takes no writes (${message}): fewer replicas are in sync than the write concern demands, or the user has no right to write; nothing was written`,
      { cause: error, retryable: true },
    );
  }
  if (errorNum === ERROR.readOnly || errorNum === ERROR.forbidden) {
    return new Refusal(
      "KV_READ_ONLY",
      `the server lets this user only read (${message}); grant it write access to the database, or end the server's read-only mode`,
      { cause: error },
    );
  }
  return error;
}

/** Why the server does not let us in, as a refusal that says so; `undefined`: it is something else. */
export function loginRefusal(error: unknown): Refusal | undefined {
  if (!(error instanceof ArangoFailure) || error.outcome !== "refused") return undefined;
  const { errorNum, message } = error;
  if (errorNum !== ERROR.forbidden && errorNum !== 401 && errorNum !== 403) return undefined;
  return new Refusal(
    "KV_UNAVAILABLE",
    `the server does not let this user in (${message}); check the options username, password, token (one may have expired) and database, and the user's rights`,
    { cause: error, retryable: false },
  );
}

/** The message of an answer that does not come from the server itself. */
function proxyMessage(status: number, message: string): string {
  const reason = `the server answered ${status}: ${message}`;
  if (status === 413) return `${reason}; a proxy before it limits how large a request may be`;
  return reason;
}
