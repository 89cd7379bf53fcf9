import type { MaybePromise } from "./adapter.ts";

/**
 * Recognises built-in values of any realm. A test runner's context, `node:vm` and jsdom have an `Object`, an `Array`
 * and a `Promise` of their own, for which `instanceof` is false; internal slots and names identify them all the same.
 */

/** The name of the built-in class whose prototype this is, or `""` for any other object. */
const NAMES = new WeakMap<object, string>();
const NATIVE = /^function (\w+)\(\) \{\s*\[native code\]\s*\}$/;

/** The name of the built-in class (`"Object"`, `"Map"`) whose prototype this is, in its own realm; else `undefined`. */
export function builtinOf(prototype: object): string | undefined {
  let name = NAMES.get(prototype);
  if (name === undefined) {
    name = nativeName(prototype) ?? "";
    NAMES.set(prototype, name);
  }
  return name === "" ? undefined : name;
}

function nativeName(prototype: object): string | undefined {
  const maker: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  if (typeof maker !== "function" || maker.prototype !== prototype) return undefined;
  return NATIVE.exec(Function.prototype.toString.call(maker))?.[1];
}

/**
 * The same, and also for classes that are not native code: `"URL"`, `"URLSearchParams"`, and the `"Date"` of a mocked
 * clock.
 */
export function kindOf(prototype: object): string | undefined {
  const name = builtinOf(prototype);
  if (name !== undefined) return name;
  if (prototype === Date.prototype) return "Date";
  const tag: unknown = Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag)?.value;
  return tag === "URL" || tag === "URLSearchParams" ? tag : undefined;
}

/** Whether it is a plain object, as a literal makes it, of any realm. */
export function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return true;
  return (
    typeof prototype === "object" &&
    prototype !== null &&
    Object.getPrototypeOf(prototype) === null &&
    builtinOf(prototype) === "Object"
  );
}

/** Whether an array is a plain array, not of a subclass, of any realm. */
export function isPlainArray(value: readonly unknown[]): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Array.prototype || (Array.isArray(prototype) && builtinOf(prototype) === "Array");
}

/** Whether a result is a promise. Anything with a `then` counts, because drivers may return promises of another realm. */
export function isPromise<T>(result: MaybePromise<T>): result is Promise<T> {
  return result instanceof Promise || isThenable(result);
}

function isThenable(result: unknown): boolean {
  if (typeof result !== "object" || result === null || Array.isArray(result)) return false;
  return "then" in result && typeof result.then === "function";
}

/** Whether it is an error, a `DOMException` included. */
export function isError(value: unknown): value is Error {
  if (typeof value !== "object" || value === null) return false;
  return value instanceof Error || /^\[object (Error|DOMException)\]$/.test(tagOf(value));
}

/** `[object Date]`: a `Symbol.toStringTag` can spoof it, so use it only where nothing depends on the answer. */
function tagOf(value: object): string {
  return Object.prototype.toString.call(value);
}

const typedArrayName = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get as (this: unknown) => string | undefined;

/** `"Uint8Array"`, `"Float64Array"`, …; `undefined` if it is not a typed array. */
export function typedArrayOf(value: unknown): string | undefined {
  return ArrayBuffer.isView(value) ? typedArrayName.call(value) : undefined;
}

/** Whether it is a `Uint8Array`, a `Buffer` or another subclass included. */
export function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && typedArrayName.call(value) === "Uint8Array";
}

const { getTime } = Date.prototype;

/** The time of a `Date` in milliseconds, `NaN` for an invalid one; `undefined` if it is not a `Date`. */
export function dateTime(value: unknown): number | undefined {
  try {
    return getTime.call(value as Date);
  } catch {
    return undefined;
  }
}

/** `Array.isArray`, but false for a revoked proxy instead of throwing. */
export function isArray(value: unknown): value is unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/** Whether it is an `AbortSignal`, a polyfill's included. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  if (typeof value !== "object" || value === null) return false;
  try {
    if (typeof AbortSignal === "function" && value instanceof AbortSignal) return true;
    const { aborted, addEventListener, removeEventListener } = value as Partial<AbortSignal>;
    return (
      tagOf(value) === "[object AbortSignal]" &&
      typeof aborted === "boolean" &&
      typeof addEventListener === "function" &&
      typeof removeEventListener === "function"
    );
  } catch {
    return false;
  }
}

/** Whether it is a `URL`. */
export function isUrl(value: unknown): value is URL {
  if (typeof value !== "object" || value === null) return false;
  return value instanceof URL || (tagOf(value) === "[object URL]" && typeof (value as URL).href === "string");
}

/** Whether it is a `CryptoKey`. */
export function isCryptoKey(value: unknown): value is CryptoKey {
  return typeof value === "object" && value !== null && tagOf(value) === "[object CryptoKey]";
}
