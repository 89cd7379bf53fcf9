import { isError, Refusal } from "@kv/core";
import { codeOf, wordOf } from "../errors.ts";

/** Whether the client's own `commandTimeout` ran out: a new attempt would start it again. */
export function isTimeout(failure: Error): boolean {
  return failure.message.startsWith("Command timed out");
}

/** The refusal for a value that another program has put under a name of the store; `undefined`: another cause. */
export function foreign(
  failure: Error,
  name: string,
  args: readonly (string | Buffer)[],
): Refusal | undefined {
  if (codeOf(failure) !== "WRONGTYPE" && wordOf(failure) !== "WRONGTYPE") return undefined;
  const names = name.startsWith("EVAL") ? args.slice(2, 2 + Number(args[1])) : args.slice(0, 1);
  const shown = names.slice(0, 5).map((one) => JSON.stringify(String(one)));
  return new Refusal(
    "KV_CORRUPT",
    `another program has put something under ${shown.length === 1 ? "the name" : "one of the names"} ${shown.join(", ")}, which ${shown.length === 1 ? "belongs" : "belong"} to this store; delete it, or use another prefix`,
    { cause: failure },
  );
}

export function isUnknownScript(error: unknown): boolean {
  return isError(error) && error.message.startsWith("NOSCRIPT");
}

/** Whether the client's owner has begun a MULTI: each command is then answered QUEUED, and runs at EXEC or never. */
function isQueued(reply: unknown): boolean {
  return (typeof reply === "string" || reply instanceof Buffer) && String(reply) === "QUEUED";
}

const IN_MULTI =
  "the client's owner has begun a MULTI, which queues every command; hand in a client that only the store uses";

/** @throws Refusal if the command was only queued */
export function refuseQueued(reply: unknown): unknown {
  if (!isQueued(reply)) return reply;
  throw new Refusal("KV_UNAVAILABLE", IN_MULTI, { retryable: false });
}

/** `refuseQueued` for a write, whose outcome is unknown. @throws Refusal if the command was only queued */
export function refuseQueuedWrite(reply: unknown): unknown {
  if (!isQueued(reply)) return reply;
  throw new Refusal("KV_UNAVAILABLE", `${IN_MULTI}; whether EXEC applies the write is unknown`, {
    retryable: false,
  });
}

export function otherClock(): Refusal {
  return new Refusal(
    "KV_UNAVAILABLE",
    "the connection now leads to a server with a different clock than the one that this write's deadlines were computed by; nothing was written; try again",
    { retryable: true },
  );
}

export function unknownOutcome(cause: Error): Refusal {
  return new Refusal(
    "KV_UNAVAILABLE",
    `the connection was lost before the server's answer (${cause.message}): whether the write was applied is unknown, and it is not repeated; read the key to find out`,
    { cause, retryable: false },
  );
}
