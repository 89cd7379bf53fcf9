import { isPlainArray, isPlainObject } from "../contract/any-realm.ts";
import { Refusal } from "../contract/errors.ts";
import { messageOf } from "../contract/shown.ts";
import { MAX_LEVELS, tooDeep } from "./nesting.ts";
import { className, member, shortened } from "./value-path.ts";

/**
 * Strict JSON: accepts only values that come back deeply equal. A value is copied while it is checked, every property
 * is read once, and the copy is stored, so a getter, a `toJSON` or a proxy cannot show the check one value and the
 * store another. The copy is fast and only answers "refused"; `explain` then finds the path and the reason.
 */

/** Stands for "refused": not a JSON value. */
const NO: unique symbol = Symbol("not a JSON value");

/**
 * How many objects and arrays a value may hold. One that is referenced several times is written as often: a few dozen
 * arrays, each twice in the next, exceed any memory and would end the process.
 */
const MAX_CONTAINERS = 2 ** 24;
/** Containers counted so far in the value being copied. */
let containers = 0;

/** A deep copy of a JSON value. @throws Refusal `KV_INVALID_VALUE` naming the path of the first part that is not JSON */
export function checkedCopy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) {
    if (isScalar(value)) return value;
    throw explain(value);
  }
  let copy: unknown;
  try {
    containers = 0;
    copy = copied(value, 1);
  } catch (thrown) {
    throw thrown instanceof Refusal ? thrown : explain(value, thrown);
  }
  if (copy === NO) throw explain(value);
  return copy;
}

/** The JSON text of a value. @throws Refusal `KV_INVALID_VALUE` naming the path of the first part that is not JSON */
export function checkedText(value: unknown): string {
  return textOfJson(checkedCopy(value));
}

/**
 * The JSON text of a known JSON value that this package owns. A `toJSON` that a library added to the prototype of all
 * objects or arrays is ignored, since it would store something else. `indent`: spaces for each level; without it, one line.
 */
export function textOfJson(value: unknown, indent?: number): string {
  // Arrays inherit from Object.prototype, so one lookup covers both.
  const polluted = (Array.prototype as { readonly toJSON?: unknown }).toJSON !== undefined;
  return JSON.stringify(polluted ? shielded(value) : value, undefined, indent);
}

/** A copy each of whose objects hides an inherited `toJSON`. */
function shielded(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const copy = Array.isArray(value) ? value.map(shielded) : { ...value };
  for (const [name, item] of Array.isArray(value) ? [] : Object.entries(value))
    put(copy as Record<string, unknown>, name, shielded(item));
  // Not enumerable, so that it does not appear in the text.
  if (!Object.hasOwn(copy, "toJSON")) Object.defineProperty(copy, "toJSON", { value: undefined });
  return copy;
}

/** A deep copy of a known JSON value. */
export function copyOfJson(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const copy: unknown[] = value.slice();
    for (let i = 0; i < copy.length; i++) {
      const item = copy[i];
      if (typeof item === "object" && item !== null) copy[i] = copyOfJson(item);
    }
    return copy;
  }
  // A spread copies the whole shape at once, an own property named __proto__ included.
  const copy: Record<string, unknown> = { ...value };
  for (const name in copy) {
    const item = copy[name];
    if (typeof item === "object" && item !== null) put(copy, name, copyOfJson(item));
  }
  return copy;
}

function put(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === "__proto__")
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
  else object[name] = value;
}

function isScalar(value: unknown): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      // Infinity and NaN have no JSON form, and -0 comes back as 0.
      return Number.isFinite(value) && (value !== 0 || 1 / value > 0);
    default:
      return value === null;
  }
}

/** `level`: 1 for the value itself, one more for its parts. */
function copied(value: object, level: number): unknown {
  if (level > MAX_LEVELS) return NO;
  containers++;
  if (containers > MAX_CONTAINERS) throw tooMany();
  return Array.isArray(value) ? copiedArray(value, level) : copiedObject(value, level);
}

function tooMany(): Refusal {
  const most = MAX_CONTAINERS.toLocaleString("en");
  return new Refusal(
    "KV_INVALID_VALUE",
    `the value holds more than ${most} objects and arrays, counting one as often as it is referenced; store it in several entries`,
  );
}

/** Read by index only: an array may have a `slice`, an iterator or a species of its own. */
function copiedArray(value: readonly unknown[], level: number): unknown {
  if (!isPlainArray(value)) return NO;
  const { length } = value;
  const copy: unknown[] = new Array(length);
  for (let i = 0; i < length; i++) {
    // A hole reads as undefined, and is refused.
    let item = value[i];
    if (typeof item === "object" && item !== null) {
      item = copied(item, level + 1);
      if (item === NO) return NO;
    } else if (!isScalar(item)) return NO;
    copy[i] = item;
  }
  // Names beside the items would be lost.
  return Object.keys(value).length > length ? NO : copy;
}

function copiedObject(value: object, level: number): unknown {
  if (!isPlainObject(value)) return NO;
  const copy: Record<string, unknown> = { ...value };
  if (Object.getOwnPropertySymbols(copy).length > 0) return NO;
  for (const name in copy) {
    const item = copy[name];
    if (typeof item === "object" && item !== null) {
      const inner = copied(item, level + 1);
      if (inner === NO) return NO;
      put(copy, name, inner);
    } else if (!isScalar(item)) return NO;
  }
  return copy;
}

/** `thrown`: the error of reading the value, if there was one. */
function explain(value: unknown, thrown?: unknown): Refusal {
  const found = reasonOf(value, thrown);
  if (found.what === undefined) return tooDeep(found.path);
  const path = shortened(found.path);
  if ("cause" in found) {
    const { cause } = found;
    return new Refusal("KV_INVALID_VALUE", `the value at ${path} cannot be read: ${messageOf(cause)}`, {
      cause,
    });
  }
  return new Refusal(
    "KV_INVALID_VALUE",
    `the value at ${path} is ${found.what}, which JSON would not give back equal; change it, or use the structured codec`,
  );
}

interface Finding {
  readonly path: string;
  /** `undefined`: it is nested too deep. */
  readonly what: string | undefined;
  /** The error of reading it. */
  readonly cause?: unknown;
}

function reasonOf(value: unknown, thrown: unknown): Finding {
  const changing = { path: "$", what: "different each time it is read" };
  const unreadable = { path: "$", what: "unreadable", cause: thrown };
  try {
    return reason(value, "$", []) ?? (thrown === undefined ? changing : unreadable);
  } catch (cause) {
    return { ...unreadable, cause: thrown ?? cause };
  }
}

function reason(value: unknown, path: string, ancestors: readonly object[]): Finding | undefined {
  if (typeof value !== "object" || value === null)
    return isScalar(value) ? undefined : { path, what: scalarName(value) };
  if (ancestors.includes(value)) return { path, what: "a cycle" };
  if (ancestors.length >= MAX_LEVELS) return { path, what: undefined };
  const inside = [...ancestors, value];
  if (Array.isArray(value)) {
    if (!isPlainArray(value)) return { path, what: className(value) };
    for (let i = 0; i < value.length; i++) {
      if (!(i in value)) return { path: `${path}[${i}]`, what: "a hole" };
      const found = reasonIn(value, i, `${path}[${i}]`, inside);
      if (found !== undefined) return found;
    }
    if (Object.keys(value).length > value.length) return { path, what: "an array with named properties" };
    return undefined;
  }
  if (Object.getPrototypeOf(value) === null) return { path, what: "an object without a prototype" };
  if (!isPlainObject(value)) return { path, what: className(value) };
  const isShown = (symbol: symbol) => Object.prototype.propertyIsEnumerable.call(value, symbol);
  if (Object.getOwnPropertySymbols(value).some(isShown)) return { path, what: "an object with symbol keys" };
  for (const name of Object.keys(value)) {
    const found = reasonIn(value, name, `${path}${member(name)}`, inside);
    if (found !== undefined) return found;
  }
  return undefined;
}

function reasonIn(
  owner: object,
  name: string | number,
  path: string,
  ancestors: readonly object[],
): Finding | undefined {
  let item: unknown;
  try {
    item = (owner as Readonly<Record<string | number, unknown>>)[name];
  } catch (cause) {
    return { path, what: "unreadable", cause };
  }
  return reason(item, path, ancestors);
}

function scalarName(value: unknown): string {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (typeof value === "bigint") return "a BigInt";
  return value === undefined ? "undefined" : `a ${typeof value}`;
}
