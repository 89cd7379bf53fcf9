import { Refusal } from "@kv/core";
import { unpack } from "msgpackr/unpack";

/** The one byte that MessagePack never uses. */
export const MARK_BYTE = 0xc1;

/**
 * The first item of an array that stands for a Map: the value that msgpackr decodes that byte to, which no caller's
 * value can be. Keys and values follow in turn.
 */
export const MAP_MARK: unknown = unpack(Uint8Array.of(MARK_BYTE));

/**
 * Prepares a value so that it comes back equal from msgpackr.
 * @param value a copy owned by this call: it is changed in place
 * @throws Refusal `KV_INVALID_VALUE` naming the path of the first part that would not come back equal
 */
export function packable(value: unknown): unknown {
  return new Packable().of(value);
}

/** A property, an item of an array, or one of a Map or a Set. */
type Step = string | number | { readonly place: number; readonly of: "keys" | "values" };

function shownStep(step: Step): string {
  if (typeof step === "number") return `[${step}]`;
  if (typeof step === "object") return `.${step.of}()[${step.place}]`;
  return /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
}

/** As many as `json` takes: with more, references counted, a value exceeds any memory. */
const MAX_CONTAINERS = 2 ** 24;

class Packable {
  /** The objects seen so far, and their replacements. */
  readonly #done = new Map<object, { readonly made: object; readonly containers: number }>();
  #containers = 0;
  readonly #ancestors = new Set<object>();
  /** The path to the part being prepared. Only a refusal turns it into text. */
  readonly #way: Step[] = [];

  of(value: unknown): unknown {
    if (typeof value === "string" && !value.isWellFormed()) this.#refuse("text with a lone surrogate");
    if (Object.is(value, -0)) this.#refuse("-0");
    if (typeof value !== "object" || value === null) return value;
    const known = this.#done.get(value);
    if (known !== undefined) {
      this.#count(known.containers);
      return known.made;
    }
    if (this.#ancestors.has(value)) this.#refuse("a cycle");
    this.#ancestors.add(value);
    const before = this.#containers;
    this.#count(1);
    const made = this.#inside(value);
    this.#ancestors.delete(value);
    this.#done.set(value, { made, containers: this.#containers - before });
    return made;
  }

  /** A shared object is written once for each reference to it. */
  #count(containers: number): void {
    this.#containers += containers;
    if (this.#containers <= MAX_CONTAINERS) return;
    throw new Refusal(
      "KV_INVALID_VALUE",
      `the value holds more than ${MAX_CONTAINERS.toLocaleString("en")} objects and arrays, counting one as often as it is referenced; store it in several entries, or use the structured codec`,
    );
  }

  #inside(value: object): object {
    if (Array.isArray(value)) return this.#array(value);
    if (value instanceof Map) return this.#map(value);
    if (value instanceof Set) return this.#set(value);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype) return this.#object(value as Record<string, unknown>);
    if (prototype === null) this.#refuse("an object without a prototype");
    if (value instanceof URL || value instanceof URLSearchParams) this.#refuse("a URL, or its parameters");
    if (isBoxed(value)) this.#refuse("a boxed scalar");
    return value;
  }

  #array(items: unknown[]): object {
    for (let place = 0; place < items.length; place++) {
      const item = items[place];
      if (item === undefined && !(place in items)) this.#refuse("an array with holes");
      const made = this.#at(place, item);
      if (made !== item) items[place] = made;
    }
    return items;
  }

  #object(object: Record<string, unknown>): object {
    for (const name of Object.keys(object)) {
      if (name === "__proto__") this.#refuse("an object with a property named __proto__");
      if (!name.isWellFormed()) this.#refuse("an object with a name that has a lone surrogate");
      const item = object[name];
      const made = this.#at(name, item);
      if (made !== item) object[name] = made;
    }
    return object;
  }

  #map(map: ReadonlyMap<unknown, unknown>): object {
    const items: unknown[] = [MAP_MARK];
    let place = 0;
    for (const [key, item] of map) {
      items.push(this.#at({ place, of: "keys" }, key), this.#at({ place, of: "values" }, item));
      place++;
    }
    return items;
  }

  #set(set: Set<unknown>): object {
    return new Set([...set].map((item, place) => this.#at({ place, of: "values" }, item)));
  }

  #at(step: Step, item: unknown): unknown {
    if (typeof item === "boolean" || item === null) return item;
    this.#way.push(step);
    const made = this.of(item);
    this.#way.pop();
    return made;
  }

  #refuse(what: string): never {
    const path = `$${this.#way.map(shownStep).join("")}`;
    const shown = path.length <= 120 ? path : `${path.slice(0, 80)} … ${path.slice(-36)}`;
    throw new Refusal(
      "KV_INVALID_VALUE",
      `the value at ${shown.toWellFormed()} is ${what}, which the msgpack codec would not give back equal; change it, or use the structured codec`,
    );
  }
}

function isBoxed(value: object): boolean {
  return (
    value instanceof Boolean ||
    value instanceof Number ||
    value instanceof String ||
    Object.prototype.toString.call(value) === "[object BigInt]"
  );
}
