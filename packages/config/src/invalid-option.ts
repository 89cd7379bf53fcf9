import { KvError } from "@kv/core";

/**
 * The error for an invalid URL or config. Messages quote only schemes and option names, never the rest of a URL or the
 * value of an option: they may contain passwords.
 */
export function invalidOption(message: string, adapter = "config"): KvError {
  return new KvError("KV_INVALID_OPTION", { adapter, operation: "openStore", message });
}

/** The text in quotes if it has the form of a name, else `otherwise`: it might be a secret. */
export function nameOr(text: unknown, otherwise: string): string {
  return typeof text === "string" && /^[a-z][\w.-]{0,40}$/i.test(text) ? JSON.stringify(text) : otherwise;
}
