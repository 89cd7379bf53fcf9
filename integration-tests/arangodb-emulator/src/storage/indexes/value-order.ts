import type { Json, JsonObject } from "../../json.ts";
import type { Collation } from "./collation.ts";

/** null < bool < number < string < array < object. */
function rankOf(value: Json): number {
  switch (typeof value) {
    case "boolean":
      return 1;
    case "number":
      return 2;
    case "string":
      return 3;
    default:
      return value === null ? 0 : Array.isArray(value) ? 4 : 5;
  }
}

/** AQL's order of values of every type: `<`, SORT and persistent indexes. Strings by a collation. */
export class ValueOrder {
  readonly #collation: Collation;

  constructor(collation: Collation) {
    this.#collation = collation;
  }

  readonly compare = (left: Json, right: Json): number => {
    if (left === right) return 0;
    if (typeof left === "string" && typeof right === "string") return this.#collation(left, right);
    if (typeof left === "number" && typeof right === "number")
      return left < right ? -1 : left > right ? 1 : 0;
    const rank = rankOf(left);
    const difference = rank - rankOf(right);
    if (difference !== 0) return difference;
    if (rank === 4) return this.#compareArrays(left as readonly Json[], right as readonly Json[]);
    if (rank === 5) return this.#compareObjects(left as JsonObject, right as JsonObject);
    return Number(left) - Number(right);
  };

  /** Members in turn; what is missing at the end of the shorter one counts as null. */
  #compareArrays(left: readonly Json[], right: readonly Json[]): number {
    const length = Math.max(left.length, right.length);
    for (let index = 0; index < length; index++) {
      const order = this.compare(left[index] ?? null, right[index] ?? null);
      if (order !== 0) return order;
    }
    return 0;
  }

  /** Attribute by attribute in the order of their names; a missing one counts as null. */
  #compareObjects(left: JsonObject, right: JsonObject): number {
    const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
    for (const name of names) {
      const order = this.compare(
        Object.hasOwn(left, name) ? (left[name] ?? null) : null,
        Object.hasOwn(right, name) ? (right[name] ?? null) : null,
      );
      if (order !== 0) return order;
    }
    return 0;
  }
}

/** Strings by code unit: the order of `_key` in the primary index, whose keys are ASCII. */
export function compareBytes(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Types as everywhere, strings by their bytes. */
export const byteOrder: ValueOrder = new ValueOrder(compareBytes);

/** `==` of AQL: strings are equal when their bytes are, whatever the collation says. */
export function equals(left: Json, right: Json): boolean {
  return left === right || byteOrder.compare(left, right) === 0;
}
