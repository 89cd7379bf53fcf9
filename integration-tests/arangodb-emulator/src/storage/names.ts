import { ArangoError } from "../errors.ts";
import type { Json } from "../json.ts";

const key = /^[A-Za-z0-9_\-.@()+,=;$!*'%:]{1,254}$/;
const traditionalName = /^[A-Za-z][A-Za-z0-9_-]{0,255}$/;
const systemName = /^_[A-Za-z0-9_-]{1,255}$/;
const databaseName = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

export function isKey(value: Json | undefined): value is string {
  return typeof value === "string" && key.test(value);
}

/** @throws ArangoError 1221 */
export function checkKey(value: Json): string {
  if (!isKey(value)) throw new ArangoError("keyBad");
  return value;
}

export function checkCollectionName(value: Json, isSystem: boolean): string {
  const pattern = isSystem ? systemName : traditionalName;
  if (typeof value !== "string" || !pattern.test(value)) throw new ArangoError("illegalName");
  return value;
}

export function checkDatabaseName(value: Json): string {
  if (typeof value !== "string" || !databaseName.test(value)) throw new ArangoError("databaseNameInvalid");
  return value;
}

/** `collection/key` in its two parts; undefined where it isn't one. */
export function splitId(id: string): { readonly collection: string; readonly key: string } | undefined {
  const slash = id.indexOf("/");
  if (slash <= 0) return undefined;
  const parts = { collection: id.slice(0, slash), key: id.slice(slash + 1) };
  return isKey(parts.key) && /^[A-Za-z_][A-Za-z0-9_-]*$/.test(parts.collection) ? parts : undefined;
}
