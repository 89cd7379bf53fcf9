import { isObject, type Json, type JsonObject, objectOf } from "../json.ts";

export interface MergeOptions {
  /** Whether a null in the patch is stored; otherwise it takes the attribute away. */
  readonly keepNull: boolean;
  /** Whether objects in the patch are merged into those of the document; otherwise they replace them. */
  readonly mergeObjects: boolean;
}

/** A document's attributes with a patch over them, as PATCH, UPDATE and `overwriteMode: "update"` do it. */
export function merge(old: JsonObject, patch: JsonObject, options: MergeOptions): JsonObject {
  const merged = new Map<string, Json>(Object.entries(old));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null && !options.keepNull) {
      merged.delete(name);
      continue;
    }
    const before = merged.get(name);
    if (isObject(value) && options.mergeObjects) {
      merged.set(name, isObject(before) ? merge(before, value, options) : cleaned(value, options));
    } else merged.set(name, value);
  }
  return objectOf(merged);
}

/** An object that is new to the document loses its nulls, too, where nulls are not kept. */
function cleaned(value: JsonObject, options: MergeOptions): JsonObject {
  return options.keepNull ? value : merge({}, value, options);
}
