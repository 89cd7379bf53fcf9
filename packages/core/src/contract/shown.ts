import { isError } from "./any-realm.ts";

/** A value as text, for messages. Never throws, even if `toString` is missing or throws. */
export function shown(value: unknown): string {
  try {
    return String(value);
  } catch {
    return "an object that has no text";
  }
}

/** The message of a thrown value. */
export function messageOf(thrown: unknown): string {
  return isError(thrown) ? shown(thrown.message) : shown(thrown);
}
