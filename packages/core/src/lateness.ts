import { Refusal } from "./contract/errors.ts";

/** Why a call of the backend was given up. */
export function lateness(what: string, ms: number): Refusal {
  return new Refusal("KV_TIMEOUT", `${what} took longer than ${ms} ms`);
}

/** The same of a write: it may have taken effect, or may do so later, and doing it again may do it twice. */
export function lateWrite(what: string, ms: number): Refusal {
  return new Refusal(
    "KV_TIMEOUT",
    `${what} took longer than ${ms} ms, so that nobody knows whether it was done, or will be; read before you repeat it`,
    { retryable: false },
  );
}
