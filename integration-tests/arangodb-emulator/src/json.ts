/** What JSON can say. Values are never changed once they are in the store: every write makes new ones. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [name: string]: Json;
}

/** A document as it is stored: with `_key`, `_id` and `_rev`. */
export type Document = JsonObject;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** The attribute of an object, `null` where there is none. What JavaScript objects inherit is no attribute. */
export function attributeOf(value: Json | undefined, name: string): Json {
  return isObject(value) && Object.hasOwn(value, name) ? (value[name] ?? null) : null;
}

/** A string attribute, `""` where there is none. */
export function textOf(value: Json | undefined, name: string): string {
  const found = attributeOf(value, name);
  return typeof found === "string" ? found : "";
}

/** An object from its attributes; `__proto__` is a name like any other. */
export function objectOf(attributes: Iterable<readonly [string, Json]>): JsonObject {
  return Object.fromEntries(attributes);
}

/** How deep objects and arrays are nested; stops counting above `limit`. */
export function isDeeperThan(value: Json, limit: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (limit === 0) return true;
  for (const member of Array.isArray(value) ? value : Object.values(value)) {
    if (isDeeperThan(member, limit - 1)) return true;
  }
  return false;
}
