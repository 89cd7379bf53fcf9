import { isAbortSignal, isArray } from "../contract/any-realm.ts";
import { Refusal } from "../contract/errors.ts";
import { messageOf } from "../contract/shown.ts";

/**
 * The names of the given options. Each is read once here, so that an option whose getter throws is refused as the
 * caller's mistake. @throws Refusal `KV_INVALID_OPTION`
 */
function namesOf(options: object, of: string): string[] {
  const names: string[] = [];
  try {
    // Own and inherited alike: inherited options take effect, too.
    for (const name in options) {
      names.push(name);
      void (options as Readonly<Record<string, unknown>>)[name];
    }
  } catch (cause) {
    const name = names.at(-1);
    const what = name === undefined ? "the options" : `the option ${JSON.stringify(name)}`;
    throw new Refusal("KV_INVALID_OPTION", `${what} of ${of} cannot be read: ${messageOf(cause)}`, { cause });
  }
  return names;
}

/**
 * The signal of options, for an operation that has not begun. An invalid one is refused later, when the options are
 * checked.
 */
export function signalIn(
  options: { readonly signal?: AbortSignal | undefined } | undefined,
): AbortSignal | undefined {
  try {
    const signal: unknown = options?.signal;
    return isAbortSignal(signal) ? signal : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Refuses options that are not an object, and unknown ones, naming those that are known: a misspelt option must not
 * count as one that was not given. `undefined` passes.
 * @throws Refusal `KV_INVALID_OPTION`
 */
export function refuseUnknownOptions(options: unknown, known: ReadonlySet<string>, of: string): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null || isArray(options)) {
    throw new Refusal("KV_INVALID_OPTION", `the options of ${of} must be an object`);
  }
  for (const name of namesOf(options, of)) {
    if (!known.has(name)) {
      const list = [...known].join(", ");
      throw new Refusal(
        "KV_INVALID_OPTION",
        `unknown option ${JSON.stringify(name)} of ${of}; it has: ${list}`,
      );
    }
  }
}
