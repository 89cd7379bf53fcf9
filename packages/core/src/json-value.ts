import { Refusal } from "./errors.ts";
import { className, member } from "./value-path.ts";

/**
 * Strict JSON: only what comes back deeply equal. Each check below has a fast form that only answers yes or no, and
 * `explain` finds the path and the reason once the answer was no.
 */

/** Values nested deeper than this are refused: a cycle is, at the latest, found there. */
const MAX_DEPTH = 500;

/** Stands for "refused": no JSON value. */
const NO: unique symbol = Symbol("not a JSON value");

/** A deep copy of a JSON value. @throws Refusal `KV_INVALID_VALUE` naming the path of what is none. */
export function checkedCopy(value: unknown): unknown {
  const copy = copied(value, 0);
  if (copy === NO) throw explain(value);
  return copy;
}

/** @throws Refusal `KV_INVALID_VALUE` naming the path of what is no JSON value */
export function assertJson(value: unknown): void {
  if (!isJson(value, 0)) throw explain(value);
}

/** A deep copy of what is known to be a JSON value. */
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

function copied(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null) return isScalar(value) ? value : NO;
  if (depth > MAX_DEPTH) return NO;
  if (Array.isArray(value)) {
    if (!isPlainArray(value)) return NO;
    const copy: unknown[] = value.slice();
    for (let i = 0; i < copy.length; i++) {
      const item = copy[i];
      if (typeof item === "object" && item !== null) {
        const inner = copied(item, depth + 1);
        if (inner === NO) return NO;
        copy[i] = inner;
      } else if (!isScalar(item)) return NO;
    }
    return copy;
  }
  if (!isPlainObject(value)) return NO;
  const copy: Record<string, unknown> = { ...value };
  for (const name in copy) {
    const item = copy[name];
    if (typeof item === "object" && item !== null) {
      const inner = copied(item, depth + 1);
      if (inner === NO) return NO;
      put(copy, name, inner);
    } else if (!isScalar(item)) return NO;
  }
  return copy;
}

function isJson(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return isScalar(value);
  if (depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) {
    if (!isPlainArray(value)) return false;
    for (let i = 0; i < value.length; i++) if (!isJson(value[i], depth + 1)) return false;
    return true;
  }
  if (!isPlainObject(value)) return false;
  for (const name in value) {
    const item = (value as Record<string, unknown>)[name];
    if (typeof item === "object" && item !== null ? !isJson(item, depth + 1) : !isScalar(item)) return false;
  }
  return true;
}

function isPlainObject(value: object): boolean {
  return (
    Object.getPrototypeOf(value) === Object.prototype && Object.getOwnPropertySymbols(value).length === 0
  );
}

/** An array with nothing but its items; a hole is found by its item, which is then `undefined`. */
function isPlainArray(value: readonly unknown[]): boolean {
  return Object.getPrototypeOf(value) === Array.prototype && Object.keys(value).length <= value.length;
}

function explain(value: unknown): Refusal {
  const found = reason(value, "$", []) ?? { path: "$", what: "no JSON value" };
  return new Refusal(
    "KV_INVALID_VALUE",
    `the value at ${found.path} is ${found.what}, which JSON would not give back equal; change it, or use the structured codec`,
  );
}

interface Finding {
  readonly path: string;
  readonly what: string;
}

function reason(value: unknown, path: string, ancestors: readonly object[]): Finding | undefined {
  if (typeof value !== "object" || value === null)
    return isScalar(value) ? undefined : { path, what: scalarName(value) };
  if (ancestors.includes(value)) return { path, what: "a cycle" };
  if (ancestors.length > MAX_DEPTH) return { path, what: `nested deeper than ${MAX_DEPTH} levels` };
  const inside = [...ancestors, value];
  if (Array.isArray(value)) {
    if (Object.getPrototypeOf(value) !== Array.prototype) return { path, what: className(value) };
    for (let i = 0; i < value.length; i++) {
      if (!(i in value)) return { path: `${path}[${i}]`, what: "a hole" };
      const found = reason(value[i], `${path}[${i}]`, inside);
      if (found !== undefined) return found;
    }
    if (!isPlainArray(value)) return { path, what: "an array with named properties" };
    return undefined;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null) return { path, what: "an object without a prototype" };
  if (prototype !== Object.prototype) return { path, what: className(value) };
  if (Object.getOwnPropertySymbols(value).length > 0) return { path, what: "an object with symbol keys" };
  for (const [name, item] of Object.entries(value)) {
    const found = reason(item, `${path}${member(name)}`, inside);
    if (found !== undefined) return found;
  }
  return undefined;
}

function scalarName(value: unknown): string {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (typeof value === "bigint") return "a BigInt";
  return value === undefined ? "undefined" : `a ${typeof value}`;
}
