import { ArangoError } from "../../errors.ts";
import { isArray, isObject, type Json } from "../../json.ts";
import { equals } from "../../storage/indexes/value-order.ts";
import { maxRange, toNumber } from "../expressions/cast.ts";
import { flatten } from "../expressions/expansion.ts";
import type { Run } from "../run.ts";
import { type Family, fn, many, mismatch, volatile } from "./definition.ts";

/** A function whose first argument has to be an array. */
function list(
  name: string,
  min: number,
  max: number,
  apply: (members: readonly Json[], rest: readonly Json[], run: Run) => Json,
): Family {
  return {
    [name]: fn(min, max, ([members = null, ...rest], run) =>
      isArray(members) ? apply(members, rest, run) : mismatch(name, run),
    ),
  };
}

/** A function of several arrays. */
function lists(name: string, apply: (arrays: readonly (readonly Json[])[]) => Json): Family {
  return {
    [name]: fn(2, many, (values, run) => {
      const arrays = values.filter(isArray);
      return arrays.length < values.length ? mismatch(name, run) : apply(arrays);
    }),
  };
}

export function unique(values: readonly Json[]): Json[] {
  const scalars = new Set<Json>();
  const others: Json[] = [];
  const result: Json[] = [];
  for (const value of values) {
    if (typeof value !== "object" || value === null) {
      if (scalars.has(value)) continue;
      scalars.add(value);
    } else {
      if (others.some((other) => equals(other, value))) continue;
      others.push(value);
    }
    result.push(value);
  }
  return result;
}

function has(values: readonly Json[], value: Json): boolean {
  return values.some((other) => equals(other, value));
}

function sorted(values: readonly Json[], run: Run): Json[] {
  return values.toSorted(run.order.compare);
}

const reverse = fn(1, 1, ([value = null], run) => {
  if (typeof value === "string") return [...value].reverse().join("");
  return isArray(value) ? value.toReversed() : mismatch("REVERSE", run);
});

function remover(isWanted: (member: Json, rest: readonly Json[]) => boolean) {
  return (members: readonly Json[], rest: readonly Json[]): Json =>
    members.filter((member) => isWanted(member, rest));
}

export const arrayFunctions: Family = {
  ...list("SORTED", 1, 1, (members, _rest, run) => sorted(members, run)),
  ...list("SORTED_UNIQUE", 1, 1, (members, _rest, run) => unique(sorted(members, run))),
  ...list("UNIQUE", 1, 1, unique),
  ...list("COUNT_DISTINCT", 1, 1, (members) => unique(members).length),
  ...list("COUNT_UNIQUE", 1, 1, (members) => unique(members).length),
  ...list("FIRST", 1, 1, (members) => members[0] ?? null),
  ...list("LAST", 1, 1, (members) => members.at(-1) ?? null),
  ...list("NTH", 2, 2, (members, [at = null]) => members[toNumber(at)] ?? null),
  ...list("POP", 1, 1, (members) => members.slice(0, -1)),
  ...list("SHIFT", 1, 1, (members) => members.slice(1)),
  ...list("SLICE", 2, 3, (members, [from = null, length = null]) => {
    const start = toNumber(from);
    if (length === null) return members.slice(start);
    const count = toNumber(length);
    const first = start < 0 ? Math.max(0, members.length + start) : start;
    return members.slice(first, count < 0 ? count : first + count);
  }),
  ...list("FLATTEN", 1, 2, (members, [depth = null]) =>
    flatten(members, depth === null ? 1 : toNumber(depth)),
  ),
  ...list("POSITION", 2, 3, (members, [search = null, wantsIndex = null]) => {
    const index = members.findIndex((member) => equals(member, search));
    return wantsIndex === true ? index : index >= 0;
  }),
  ...list("REMOVE_VALUE", 2, 3, (members, [value = null, limit = null]) => {
    let left = limit === null ? Number.POSITIVE_INFINITY : toNumber(limit);
    return members.filter((member) => !(equals(member, value) && left-- > 0));
  }),
  ...list(
    "REMOVE_VALUES",
    2,
    2,
    remover((member, [values = null]) => !isArray(values) || !has(values, member)),
  ),
  ...list("REMOVE_NTH", 2, 2, (members, [at = null]) => {
    const index = toNumber(at) < 0 ? members.length + toNumber(at) : toNumber(at);
    return members.filter((_, other) => other !== index);
  }),
  ...lists("UNION", (arrays) => arrays.flat()),
  ...lists("UNION_DISTINCT", (arrays) => unique(arrays.flat())),
  ...lists("INTERSECTION", ([first = [], ...rest]) =>
    unique(first).filter((member) => rest.every((other) => has(other, member))),
  ),
  ...lists("MINUS", ([first = [], ...rest]) =>
    unique(first).filter((member) => !rest.some((other) => has(other, member))),
  ),
  ...lists("OUTERSECTION", (arrays) =>
    unique(arrays.flat()).filter((member) => arrays.filter((array) => has(array, member)).length === 1),
  ),
  // Null in the place of the array is an empty one.
  APPEND: fn(2, 3, ([members = null, more = null, isUnique = null], run) => {
    if (members !== null && !isArray(members)) return mismatch("APPEND", run);
    const all = [...(members ?? []), ...(isArray(more) ? more : more === null ? [] : [more])];
    return isUnique === true ? unique(all) : all;
  }),
  PUSH: fn(2, 3, ([members = null, value = null, isUnique = null], run) => {
    if (members !== null && !isArray(members)) return mismatch("PUSH", run);
    const before = members ?? [];
    return isUnique === true && has(before, value) ? before : [...before, value];
  }),
  UNSHIFT: fn(2, 3, ([members = null, value = null, isUnique = null], run) => {
    if (members !== null && !isArray(members)) return mismatch("UNSHIFT", run);
    const before = members ?? [];
    return isUnique === true && has(before, value) ? before : [value, ...before];
  }),
  REVERSE: reverse,
  RANGE: fn(2, 3, ([from = null, to = null, by = null], run) => {
    const start = toNumber(from);
    const end = toNumber(to);
    const step = by === null ? (end >= start ? 1 : -1) : toNumber(by);
    if (step === 0 || step > 0 !== end >= start) return start === end ? [start] : mismatch("RANGE", run);
    const length = Math.floor((end - start) / step) + 1;
    if (length > maxRange) throw new ArangoError("numberOutOfRange", "AQL: too many elements in range");
    return Array.from({ length }, (_, at) => start + at * step);
  }),
  SHUFFLE: volatile(1, 1, ([members = null], run) =>
    isArray(members)
      ? members
          .map((value) => ({ value, rank: Math.random() }))
          .sort((left, right) => left.rank - right.rank)
          .map(({ value }) => value)
      : mismatch("SHUFFLE", run),
  ),
  ZIP: fn(2, 2, ([names = null, values = null], run) => {
    if (!isArray(names) || !isArray(values) || names.length !== values.length) return mismatch("ZIP", run);
    return Object.fromEntries(names.map((name, at) => [String(name), values[at] ?? null]));
  }),
  VALUES: fn(1, 2, ([value = null, withoutSystem = null], run) => {
    if (!isObject(value)) return mismatch("VALUES", run);
    return Object.entries(value)
      .filter(([name]) => withoutSystem !== true || !name.startsWith("_"))
      .map(([, member]) => member);
  }),
};
