import { KvError } from "@kv/core";

/**
 * A refusal of a URL or config. Messages quote scheme and option names only, never the rest of a URL nor an option's
 * value: passwords stand there.
 */
export function invalidOption(message: string, adapter = "config"): KvError {
  return new KvError("KV_INVALID_OPTION", { adapter, operation: "openStore", message });
}

/** The text in quotes if it can only be a name, else what it should have been. */
export function nameOr(text: unknown, otherwise: string): string {
  return typeof text === "string" && /^[a-z][\w.-]{0,40}$/i.test(text) ? JSON.stringify(text) : otherwise;
}
