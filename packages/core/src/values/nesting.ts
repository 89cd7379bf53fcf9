import { builtinOf, isPlainArray, isPlainObject } from "../contract/any-realm.ts";
import { Refusal } from "../contract/errors.ts";
import { member, shortened } from "./value-path.ts";

/**
 * How many objects, arrays, Maps and Sets a value may nest in each other, under every codec and in user metadata.
 * Encoding and decoding recurse: a far deeper value could be written with much stack left and then be unreadable with less.
 */
export const MAX_LEVELS = 500;

/** The refusal of a value that nests deeper. */
export function tooDeep(path: string): Refusal {
  return new Refusal(
    "KV_INVALID_VALUE",
    `the value at ${shortened(path)} is nested deeper than ${MAX_LEVELS} levels; store it flat, or in several entries`,
  );
}

/**
 * Refuses a value that nests too deep, for a codec that does not check itself. It looks into plain objects, arrays,
 * Maps and Sets, each once; instances of classes are left to the codec.
 * @throws Refusal `KV_INVALID_VALUE` naming the path
 */
export function assertNesting(value: unknown): void {
  if (typeof value === "object" && value !== null) look(value, "$", 1, new Set());
}

function look(value: object, path: string, level: number, seen: Set<object>): void {
  if (seen.has(value)) return;
  seen.add(value);
  if (level > MAX_LEVELS) throw tooDeep(path);
  for (const [step, item] of inside(value)) {
    if (typeof item === "object" && item !== null) look(item, path + step, level + 1, seen);
  }
}

function* inside(value: object): Generator<[step: string, item: unknown]> {
  const kind = Array.isArray(value) ? undefined : builtinOf(Object.getPrototypeOf(value) ?? value);
  if (kind === "Map") {
    for (const [i, [key, item]] of [...(value as Map<unknown, unknown>)].entries()) {
      yield [`.keys()[${i}]`, key];
      yield [`.values()[${i}]`, item];
    }
  } else if (kind === "Set") {
    for (const [i, item] of [...(value as Set<unknown>)].entries()) yield [`.values()[${i}]`, item];
  } else if (Array.isArray(value) && isPlainArray(value)) {
    for (const [i, item] of value.entries()) yield [`[${i}]`, item];
  } else if (!Array.isArray(value) && (isPlainObject(value) || Object.getPrototypeOf(value) === null)) {
    for (const [name, item] of Object.entries(value)) yield [member(name), item];
  }
}
