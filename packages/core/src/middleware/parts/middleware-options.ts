import { refuseUnknownOptions } from "../../arguments/unknown-options.ts";
import { type Duration, milliseconds } from "../../contract/duration.ts";
import { KvError, Refusal } from "../../contract/errors.ts";
import { messageOf, shown } from "../../contract/shown.ts";
import { inThisContext } from "../../runtime/async-context.ts";

/**
 * Checks the options of a middleware when it is made, because a mistake in them is the programmer's.
 * @throws KvError with the code of the refusal, naming the middleware
 */
export function checkedOptions<O extends object, R>(
  middleware: string,
  known: readonly (keyof O & string)[],
  options: O,
  check: (options: O) => R,
): R {
  try {
    const given: unknown = options;
    if (given === undefined || given === null) invalidOption(`${middleware}() needs options`);
    refuseUnknownOptions(given, new Set<string>(known), `${middleware}()`);
    return check(options);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new KvError(error.code, {
      adapter: "kv",
      operation: middleware,
      message: error.message,
      cause: error.cause,
    });
  }
}

/** @throws Refusal `KV_INVALID_OPTION` */
export function invalidOption(message: string): never {
  throw new Refusal("KV_INVALID_OPTION", message);
}

/** @throws Refusal `KV_INVALID_OPTION` if it is not a positive integer */
export function positiveInteger(name: string, value: unknown): number {
  if (Number.isSafeInteger(value) && Number(value) > 0) return Number(value);
  return invalidOption(`${name} must be a positive integer, not ${shown(value)}`);
}

/** Milliseconds. @throws Refusal `KV_INVALID_OPTION` if it is not a duration */
export function durationOption(name: string, value: Duration): number {
  try {
    return milliseconds(value);
  } catch (error) {
    return invalidOption(`${name}: ${messageOf(error)}`);
  }
}

/**
 * A caller's function, bound to the async context of this call. @throws Refusal `KV_INVALID_OPTION` if it is given but
 * not a function
 */
export function functionOption<F>(name: string, value: F): F {
  if (value === undefined) return value;
  if (typeof value === "function") return inThisContext(value as F & ((...args: never[]) => unknown));
  return invalidOption(`${name} must be a function`);
}
