import { isArray, type Json } from "../../json.ts";
import { equals, type ValueOrder } from "../../storage/indexes/value-order.ts";

export type Compare = (left: Json, right: Json, order: ValueOrder) => boolean;

/** `==` and `IN` compare bytes; `<` and the like compare in the server's language. */
const comparisons: Readonly<Record<string, Compare>> = {
  "==": equals,
  "!=": (left, right) => !equals(left, right),
  "<": (left, right, order) => order.compare(left, right) < 0,
  "<=": (left, right, order) => order.compare(left, right) <= 0,
  ">": (left, right, order) => order.compare(left, right) > 0,
  ">=": (left, right, order) => order.compare(left, right) >= 0,
  IN: isMember,
  // In what is no array nothing is, and nothing is not.
  "NOT IN": (left, right) => isArray(right) && !isMember(left, right),
};

export function comparison(operator: string): Compare | undefined {
  return comparisons[operator];
}

/** Large arrays are searched once for each row: their strings are worth remembering. */
const remembered = new WeakMap<readonly Json[], ReadonlySet<Json>>();
const large = 32;

function isMember(value: Json, list: Json): boolean {
  if (!isArray(list)) return false;
  if (typeof value !== "string") return list.some((member) => equals(value, member));
  if (list.length < large) return list.includes(value);
  let members = remembered.get(list);
  if (members === undefined) {
    members = new Set(list);
    remembered.set(list, members);
  }
  return members.has(value);
}
