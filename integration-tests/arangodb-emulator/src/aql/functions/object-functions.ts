import { attributeOf, isArray, isObject, type Json, type JsonObject, objectOf } from "../../json.ts";
import { equals } from "../../storage/indexes/value-order.ts";
import { merge } from "../../storage/merge.ts";
import { toText } from "../expressions/cast.ts";
import { type Apply, type Family, fn, many, mismatch } from "./definition.ts";

/** Names as separate arguments or as one array, or both. */
function namesOf(values: readonly Json[]): Set<string> {
  return new Set(values.flatMap((value) => (isArray(value) ? value : [value])).map(toText));
}

function attributes(value: JsonObject, withoutSystem: Json, isSorted: Json): string[] {
  const names = Object.keys(value).filter((name) => withoutSystem !== true || !name.startsWith("_"));
  return isSorted === true ? names.sort() : names;
}

const attributesOf = fn(1, 3, ([value = null, withoutSystem = null, isSorted = null], run) =>
  isObject(value) ? attributes(value, withoutSystem, isSorted) : mismatch("ATTRIBUTES", run),
);

function merger(name: string, mergeObjects: boolean): Apply {
  return (values, run) => {
    const [only = null] = values;
    const parts = values.length === 1 && isArray(only) ? only : values;
    let result: JsonObject = {};
    for (const part of parts) {
      if (!isObject(part)) return mismatch(name, run);
      result = merge(result, part, { keepNull: true, mergeObjects });
    }
    return result;
  };
}

function unsetDeep(value: Json, names: ReadonlySet<string>): Json {
  if (isArray(value)) return value.map((member) => unsetDeep(member, names));
  if (!isObject(value)) return value;
  return objectOf(
    Object.entries(value)
      .filter(([name]) => !names.has(name))
      .map(([name, member]) => [name, unsetDeep(member, names)]),
  );
}

export const objectFunctions: Family = {
  HAS: fn(2, 2, ([value = null, name = null]) => isObject(value) && Object.hasOwn(value, toText(name))),
  ATTRIBUTES: attributesOf,
  KEYS: attributesOf,
  MERGE: fn(1, many, merger("MERGE", false)),
  MERGE_RECURSIVE: fn(1, many, merger("MERGE_RECURSIVE", true)),
  UNSET: fn(2, many, ([value = null, ...names], run) => {
    if (!isObject(value)) return mismatch("UNSET", run);
    const gone = namesOf(names);
    return objectOf(Object.entries(value).filter(([name]) => !gone.has(name)));
  }),
  UNSET_RECURSIVE: fn(2, many, ([value = null, ...names], run) =>
    isObject(value) ? unsetDeep(value, namesOf(names)) : mismatch("UNSET_RECURSIVE", run),
  ),
  KEEP: fn(2, many, ([value = null, ...names], run) => {
    if (!isObject(value)) return mismatch("KEEP", run);
    const kept = namesOf(names);
    return objectOf(Object.entries(value).filter(([name]) => kept.has(name)));
  }),
  ENTRIES: fn(1, 1, ([value = null], run) =>
    isObject(value) ? Object.entries(value) : mismatch("ENTRIES", run),
  ),
  VALUE: fn(2, 2, ([value = null, path = null], run) => {
    if (!isObject(value) || !isArray(path)) return mismatch("VALUE", run);
    return path.reduce<Json>(
      (found, step) =>
        isArray(found) && typeof step === "number"
          ? (found.at(step) ?? null)
          : attributeOf(found, toText(step)),
      value,
    );
  }),
  MATCHES: fn(2, 3, ([value = null, examples = null, wantsIndex = null]) => {
    const list = isArray(examples) ? examples : [examples];
    const index = list.findIndex(
      (example) =>
        isObject(example) &&
        Object.entries(example).every(([name, expected]) => equals(attributeOf(value, name), expected)),
    );
    return wantsIndex === true ? index : index >= 0;
  }),
  TRANSLATE: fn(2, 3, ([value = null, lookup = null, otherwise = null]) => {
    const name = toText(value);
    return isObject(lookup) && Object.hasOwn(lookup, name) ? (lookup[name] ?? null) : (otherwise ?? value);
  }),
};
