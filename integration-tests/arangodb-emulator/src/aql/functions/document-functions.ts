import { attributeOf, isArray, isObject, type Json } from "../../json.ts";
import { decodeRevision, revisionParts } from "../../storage/clock.ts";
import { splitId } from "../../storage/names.ts";
import { toText } from "../expressions/cast.ts";
import type { Run } from "../run.ts";
import { type Family, fn, mismatch, reading } from "./definition.ts";

/** A document by its id, or by its key in a collection that is named. What isn't there is null. */
function lookUp(run: Run, collection: string | undefined, id: Json): Json {
  if (typeof id !== "string") return null;
  const parts = splitId(id) ?? (collection === undefined ? undefined : { collection, key: id });
  if (parts === undefined) return null;
  const found = run.database.find(parts.collection);
  return found === undefined ? null : (run.stateOf(found).get(parts.key) ?? null);
}

function identifier(value: Json): Json {
  return isObject(value) ? attributeOf(value, "_id") : value;
}

function part(name: string, pick: "key" | "collection"): Family[string] {
  return fn(1, 1, ([value = null], run) => {
    const id = identifier(value);
    const parts = typeof id === "string" ? splitId(id) : undefined;
    return parts === undefined ? mismatch(name, run) : parts[pick];
  });
}

export const documentFunctions: Family = {
  DOCUMENT: reading(1, 2, (values, run) => {
    const [first = null, second = null] = values;
    const [collection, ids] = values.length === 1 ? [undefined, first] : [toText(first), second];
    if (!isArray(ids)) return lookUp(run, collection, ids);
    return ids.map((id) => lookUp(run, collection, id)).filter((document) => document !== null);
  }),
  COLLECTION_COUNT: reading(1, 1, ([name = null], run) => {
    return run.stateOf(run.database.collection(toText(name))).size;
  }),
  PARSE_IDENTIFIER: fn(1, 1, ([value = null], run) => {
    const id = identifier(value);
    const parts = typeof id === "string" ? splitId(id) : undefined;
    return parts === undefined
      ? mismatch("PARSE_IDENTIFIER", run)
      : { collection: parts.collection, key: parts.key };
  }),
  PARSE_KEY: part("PARSE_KEY", "key"),
  PARSE_COLLECTION: part("PARSE_COLLECTION", "collection"),
  DECODE_REV: fn(1, 1, ([value = null], run) => {
    const stamp = typeof value === "string" ? decodeRevision(value) : undefined;
    if (stamp === undefined) return mismatch("DECODE_REV", run);
    const { milliseconds, count } = revisionParts(stamp);
    return { date: new Date(milliseconds).toISOString(), count };
  }),
};
