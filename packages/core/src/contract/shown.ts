import { isError } from "./any-realm.ts";

/** A value as text, for messages. Never throws: an object may have no `toString`, or one that fails. */
export function shown(value: unknown): string {
  try {
    return String(value);
  } catch {
    return "an object that cannot be shown";
  }
}

/** What was thrown, in words. */
export function messageOf(thrown: unknown): string {
  return isError(thrown) ? shown(thrown.message) : shown(thrown);
}
