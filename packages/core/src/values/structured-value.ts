import { dateTime, kindOf, typedArrayOf } from "../contract/any-realm.ts";
import { Refusal } from "../contract/errors.ts";
import { messageOf } from "../contract/shown.ts";
import { MAX_LEVELS, tooDeep } from "./nesting.ts";
import { className, member, shortened } from "./value-path.ts";

type TypedArray = (source: ArrayBufferView) => ArrayBufferView;

const TYPED_ARRAYS: ReadonlyMap<string, TypedArray> = new Map<string, TypedArray>([
  ["Int8Array", (source) => new Int8Array(source as Int8Array)],
  ["Uint8Array", (source) => new Uint8Array(source as Uint8Array)],
  ["Uint8ClampedArray", (source) => new Uint8ClampedArray(source as Uint8ClampedArray)],
  ["Int16Array", (source) => new Int16Array(source as Int16Array)],
  ["Uint16Array", (source) => new Uint16Array(source as Uint16Array)],
  ["Int32Array", (source) => new Int32Array(source as Int32Array)],
  ["Uint32Array", (source) => new Uint32Array(source as Uint32Array)],
  ["Float32Array", (source) => new Float32Array(source as Float32Array)],
  ["Float64Array", (source) => new Float64Array(source as Float64Array)],
  ["BigInt64Array", (source) => new BigInt64Array(source as BigInt64Array)],
  ["BigUint64Array", (source) => new BigUint64Array(source as BigUint64Array)],
]);

/** A property, an item of an array, or one of a Map or a Set. */
type Step = string | number | { readonly place: number; readonly of: "keys" | "values" };

const mapForEach = Map.prototype.forEach;
const setForEach = Set.prototype.forEach;
const sourceOf = Object.getOwnPropertyDescriptor(RegExp.prototype, "source")?.get as (
  this: unknown,
) => string;

/**
 * A deep copy of a value, for codecs that support the types of JavaScript's structured clone: objects, arrays (with holes),
 * `Map`, `Set`, `Date`, `RegExp`, `URL`, `URLSearchParams`, BigInt, typed arrays, `ArrayBuffer`, boxed scalars,
 * `undefined`, `NaN`, `-0`, cycles and shared references. The copy is of this realm and plain: every property was read
 * once, so the checked value is the encoded one, and a part of a larger buffer is copied without the rest.
 * @param codec the name of the codec, for messages
 * @throws Refusal `KV_INVALID_VALUE` naming the path of the first part that would not come back equal (an instance of
 * another class or of a subclass, a function, a symbol, a property beside an array's items or on a `Date`, a `RegExp`
 * with a `lastIndex`) or that nests deeper than 500 levels
 */
export function structuredCopy(value: unknown, codec: string): unknown {
  return new StructuredCopy(codec).of(value);
}

class StructuredCopy {
  readonly #codec: string;
  /** The copies made so far, by their originals, so that cycles and shared references are kept. */
  readonly #copies = new Map<object, object>();
  /** The path to the part being copied, one name or place for each level. Only a refusal turns it into text. */
  readonly #way: Step[] = [];

  constructor(codec: string) {
    this.#codec = codec;
  }

  of(value: unknown): unknown {
    if (typeof value === "function" || typeof value === "symbol") return this.#refuse(`a ${typeof value}`);
    if (typeof value !== "object" || value === null) return value;
    const known = this.#copies.get(value);
    if (known !== undefined) return known;
    try {
      return this.#copied(value);
    } catch (error) {
      throw error instanceof Refusal ? error : this.#unreadable(error);
    }
  }

  #copied(value: object): unknown {
    const prototype: unknown = Object.getPrototypeOf(value);
    const kind = typeof prototype === "object" && prototype !== null ? kindOf(prototype) : "Object";
    const symbols = Object.getOwnPropertySymbols(value);
    if (symbols.some((symbol) => Object.prototype.propertyIsEnumerable.call(value, symbol))) {
      this.#refuse("an object with symbol keys");
    }
    switch (kind) {
      case "Object":
        return this.#object(value, prototype === null ? Object.create(null) : {});
      case "Array":
        if (Array.isArray(value)) return this.#array(value);
        break;
      case "Map":
        return this.#map(value as Map<unknown, unknown>);
      case "Set":
        return this.#set(value as Set<unknown>);
      case undefined:
        break;
      default: {
        const leaf = leafOf(value, kind);
        if (leaf === undefined) break;
        if (kind === "RegExp" && (value as RegExp).lastIndex !== 0)
          this.#refuse("a RegExp whose lastIndex is not 0");
        this.#refuseProperties(value, kind);
        this.#copies.set(value, leaf);
        return leaf;
      }
    }
    return this.#refuse(className(value));
  }

  #object(value: object, copy: object): object {
    this.#enter(value, copy);
    for (const name of Object.keys(value)) {
      const item = this.#item(value, name);
      if (name === "__proto__") define(copy, name, item);
      else (copy as Record<string, unknown>)[name] = item;
    }
    return copy;
  }

  #array(value: readonly unknown[]): object {
    const copy: unknown[] = new Array(value.length);
    this.#enter(value, copy);
    for (const name of Object.keys(value)) {
      const place = Number(name);
      if (String(place >>> 0) !== name) {
        this.#way.push(name);
        this.#refuse("a property beside an array's items");
      }
      copy[place] = this.#item(value, place);
    }
    return copy;
  }

  #map(value: Map<unknown, unknown>): object {
    const copy = new Map<unknown, unknown>();
    this.#enter(value, copy);
    this.#refuseProperties(value, "Map");
    mapForEach.call(value, (item, key) => {
      const place = copy.size;
      const copiedKey = this.#at({ place, of: "keys" }, key);
      copy.set(copiedKey, this.#at({ place, of: "values" }, item));
    });
    return copy;
  }

  #set(value: Set<unknown>): object {
    const copy = new Set<unknown>();
    this.#enter(value, copy);
    this.#refuseProperties(value, "Set");
    setForEach.call(value, (item) => {
      copy.add(this.#at({ place: copy.size, of: "values" }, item));
    });
    return copy;
  }

  #item(owner: object, name: string | number): unknown {
    this.#way.push(name);
    let item: unknown;
    try {
      item = (owner as Readonly<Record<string | number, unknown>>)[name];
    } catch (error) {
      throw this.#unreadable(error);
    }
    const copy = this.of(item);
    this.#way.pop();
    return copy;
  }

  #at(step: Step, item: unknown): unknown {
    this.#way.push(step);
    const copy = this.of(item);
    this.#way.pop();
    return copy;
  }

  #enter(value: object, copy: object): void {
    if (this.#way.length >= MAX_LEVELS) throw tooDeep(this.#path());
    this.#copies.set(value, copy);
  }

  #refuseProperties(value: object, kind: string): void {
    // The items of typed arrays and the letters of a boxed string are properties, too.
    if (ArrayBuffer.isView(value) || kind === "String") return;
    const [name] = Object.keys(value);
    if (name === undefined) return;
    this.#way.push(name);
    this.#refuse(`a property added to ${className(value)}`);
  }

  #refuse(what: string): never {
    throw new Refusal(
      "KV_INVALID_VALUE",
      `the value at ${shortened(this.#path())} is ${what}, which the ${this.#codec} codec would not give back equal; change it, or use a codec of your own`,
    );
  }

  #unreadable(cause: unknown): Refusal {
    const message = messageOf(cause);
    return new Refusal(
      "KV_INVALID_VALUE",
      `the value at ${shortened(this.#path())} cannot be read: ${message}`,
      { cause },
    );
  }

  #path(): string {
    const steps = this.#way.map((step) => {
      if (typeof step === "string") return member(step);
      return typeof step === "number" ? `[${step}]` : `.${step.of}()[${step.place}]`;
    });
    return `$${steps.join("")}`;
  }
}

/** A copy of an object without parts; `undefined` for any other kind. @throws if the object only has such a prototype */
function leafOf(value: object, kind: string): object | undefined {
  const typedArray = TYPED_ARRAYS.get(typedArrayOf(value) ?? "");
  if (typedArray !== undefined && typedArrayOf(value) === kind) return typedArray(value as ArrayBufferView);
  switch (kind) {
    case "Date":
      return dateTime(value) === undefined ? undefined : new Date(dateTime(value) ?? Number.NaN);
    case "RegExp":
      // Reads the internal slot, which throws if the object is not a RegExp.
      return new RegExp(sourceOf.call(value), (value as RegExp).flags);
    case "URL":
      return new URL(String((value as URL).href));
    case "URLSearchParams":
      return new URLSearchParams(String(value));
    case "ArrayBuffer":
      return new Uint8Array(new Uint8Array(value as ArrayBuffer)).buffer;
    case "Boolean":
      return Object(Boolean.prototype.valueOf.call(value));
    case "Number":
      return Object(Number.prototype.valueOf.call(value));
    case "String":
      return Object(String.prototype.valueOf.call(value));
    case "BigInt":
      return Object(BigInt.prototype.valueOf.call(value));
    default:
      return undefined;
  }
}

/** A name may be __proto__, and assigning to that would set the prototype. */
function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}
