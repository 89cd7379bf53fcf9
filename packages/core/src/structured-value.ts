import { Refusal } from "./errors.ts";
import { className, member } from "./value-path.ts";

/** Prototypes whose instances the structured codec gives back equal, as long as they have no properties of their own. */
const LEAVES: ReadonlySet<unknown> = new Set(
  [
    ...[Date, RegExp, URL, URLSearchParams, ArrayBuffer, Boolean, Number, String, BigInt],
    ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array],
    ...[Float32Array, Float64Array, BigInt64Array, BigUint64Array],
  ].map((type: { readonly prototype: unknown }) => type.prototype),
);

interface Step {
  readonly value: unknown;
  readonly path: string;
}

/**
 * Refuses what the structured codec would write without a word and not give back equal: instances of subclasses,
 * properties beside an array's items or on a Date, symbol keys, a RegExp in the middle of its work.
 * @throws Refusal `KV_INVALID_VALUE` naming the path
 */
export function assertStructured(value: unknown): void {
  const seen = new Set<object>();
  const steps: Step[] = [{ value, path: "$" }];
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    const { value: each, path } = step;
    if (typeof each === "function" || typeof each === "symbol") refuse(path, `a ${typeof each}`);
    if (typeof each !== "object" || each === null || seen.has(each)) continue;
    seen.add(each);
    steps.push(...inside(each, path));
  }
}

function inside(value: object, path: string): Step[] {
  const prototype: unknown = Object.getPrototypeOf(value);
  const symbols = Object.getOwnPropertySymbols(value);
  if (symbols.some((symbol) => Object.prototype.propertyIsEnumerable.call(value, symbol))) {
    refuse(path, "an object with symbol keys");
  }
  if (prototype === Object.prototype || prototype === null) {
    return Object.entries(value).map(([name, item]) => ({ value: item, path: `${path}${member(name)}` }));
  }
  if (prototype === Array.prototype) {
    const items = Object.entries(value);
    const named = items.find(([name]) => String(Number(name) >>> 0) !== name);
    if (named !== undefined) refuse(`${path}${member(named[0])}`, "a property beside an array's items");
    return items.map(([name, item]) => ({ value: item, path: `${path}[${name}]` }));
  }
  if (LEAVES.has(prototype)) {
    if (value instanceof RegExp && value.lastIndex !== 0) refuse(path, "a RegExp whose lastIndex is not 0");
    if (!ArrayBuffer.isView(value) && !(value instanceof String)) refuseProperties(value, path);
    return [];
  }
  if (prototype === Map.prototype) {
    refuseProperties(value, path);
    const entries = [...(value as Map<unknown, unknown>)];
    return entries.flatMap(([key, item], i) => [
      { value: key, path: `${path}.keys()[${i}]` },
      { value: item, path: `${path}.values()[${i}]` },
    ]);
  }
  if (prototype === Set.prototype) {
    refuseProperties(value, path);
    return [...(value as Set<unknown>)].map((item, i) => ({ value: item, path: `${path}.values()[${i}]` }));
  }
  return refuse(path, className(value));
}

function refuseProperties(value: object, path: string): void {
  const [name] = Object.keys(value);
  if (name !== undefined) refuse(`${path}${member(name)}`, `a property added to ${className(value)}`);
}

function refuse(path: string, what: string): never {
  throw new Refusal(
    "KV_INVALID_VALUE",
    `the value at ${path} is ${what}, which the structured codec would not give back equal; change it, or use a codec of your own`,
  );
}
