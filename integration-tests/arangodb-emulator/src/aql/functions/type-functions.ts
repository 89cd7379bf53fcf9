import { isArray, isObject, type Json } from "../../json.ts";
import { isKey } from "../../storage/names.ts";
import { toArray, toBool, toNumber, toText, typeName } from "../expressions/cast.ts";
import { type Family, fn, many } from "./definition.ts";

function test(holds: (value: Json) => boolean): Family[string] {
  return fn(1, 1, ([value = null]) => holds(value));
}

const isList = test(isArray);
const isDocument = test(isObject);
const toList = fn(1, 1, ([value = null]) => toArray(value));

function firstWhere(holds: (value: Json) => boolean): Family[string] {
  return fn(1, many, (values) => values.find(holds) ?? null);
}

export const typeFunctions: Family = {
  IS_NULL: test((value) => value === null),
  IS_BOOL: test((value) => typeof value === "boolean"),
  IS_NUMBER: test((value) => typeof value === "number"),
  IS_STRING: test((value) => typeof value === "string"),
  IS_ARRAY: isList,
  IS_LIST: isList,
  IS_OBJECT: isDocument,
  IS_DOCUMENT: isDocument,
  IS_KEY: test((value) => isKey(value)),
  TYPENAME: fn(1, 1, ([value = null]) => typeName(value)),
  TO_BOOL: fn(1, 1, ([value = null]) => toBool(value)),
  TO_NUMBER: fn(1, 1, ([value = null]) => toNumber(value)),
  TO_STRING: fn(1, 1, ([value = null]) => toText(value)),
  TO_ARRAY: toList,
  TO_LIST: toList,
  NOT_NULL: firstWhere((value) => value !== null),
  FIRST_LIST: firstWhere(isArray),
  FIRST_DOCUMENT: firstWhere(isObject),
};
