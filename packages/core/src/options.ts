import { Refusal } from "./errors.ts";

/**
 * Refuses what is no options object, or has an option that is not known, naming those that are: a misspelt option must
 * not pass for one that was not given. `undefined` passes.
 * @throws Refusal `KV_INVALID_OPTION`
 */
export function refuseUnknownOptions(options: unknown, known: ReadonlySet<string>, of: string): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new Refusal("KV_INVALID_OPTION", `the options of ${of} must be an object`);
  }
  // Own and inherited alike: what is read through the prototype would be obeyed, too.
  for (const name in options) {
    if (!known.has(name)) {
      const list = [...known].join(", ");
      throw new Refusal(
        "KV_INVALID_OPTION",
        `unknown option ${JSON.stringify(name)} of ${of}; it has: ${list}`,
      );
    }
  }
}
