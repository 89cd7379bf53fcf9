import { isError, Refusal } from "@kv/core";

/** Why the server refuses a database; `undefined`: the error has another cause, such as a lost connection. */
export function databaseRefusal(error: unknown, db: number): Refusal | undefined {
  if (!isError(error)) return undefined;
  const own = error instanceof Refusal && isError(error.cause) ? error.cause : error;
  const { message } = own;
  const refused = (code: "KV_INVALID_OPTION" | "KV_UNAVAILABLE", text: string): Refusal =>
    new Refusal(code, `${text}; nothing was read or written (${message})`, { cause: own, retryable: false });
  if (/out of range|invalid DB index/i.test(message))
    return refused(
      "KV_INVALID_OPTION",
      `the server has no database ${db}; use a smaller number, or raise its setting databases`,
    );
  if (/not allowed in cluster mode/i.test(message))
    return refused(
      "KV_INVALID_OPTION",
      `a node of a Cluster has only database 0, not ${db}; leave out the number`,
    );
  if (message.startsWith("NOPERM") || /unknown command/i.test(message))
    return refused(
      "KV_UNAVAILABLE",
      `the server does not permit SELECT, which database ${db} needs; grant it (ACL SETUSER … +select), or use database 0`,
    );
  return undefined;
}
