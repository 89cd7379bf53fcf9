import { Refusal } from "../contract/errors.ts";
import { messageOf } from "../contract/shown.ts";

/** Whether it can be iterated over; text does not count. Never throws. */
export function isIterable(value: unknown): value is Iterable<unknown> {
  if (typeof value !== "object" || value === null) return false;
  try {
    return typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] === "function";
  } catch {
    return false;
  }
}

/** All items. @throws Refusal `KV_INVALID_OPTION` if the caller's iterator throws; nothing was written then */
export function listed<T>(items: Iterable<T>, what: string): T[] {
  try {
    return Array.from(items);
  } catch (cause) {
    throw new Refusal("KV_INVALID_OPTION", `the ${what} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
