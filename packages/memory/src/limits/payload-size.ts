import { isBytes, type Payload, utf8Length } from "@kv/core";

/**
 * The bytes of a payload: for bytes their number, for text its length in UTF-8, for a JSON value about the length of its
 * JSON text (without the characters added by escapes).
 */
export function payloadSize(payload: Payload): number {
  if (typeof payload === "string") return utf8Length(payload);
  if (isBytes(payload)) return payload.byteLength;
  return jsonSize(payload);
}

function jsonSize(value: unknown): number {
  if (typeof value === "string") return utf8Length(value) + 2;
  if (typeof value !== "object" || value === null) return String(value).length;
  if (Array.isArray(value)) {
    let size = 2;
    for (const element of value) size += jsonSize(element) + 1;
    return size;
  }
  let size = 2;
  for (const [name, member] of Object.entries(value)) size += utf8Length(name) + jsonSize(member) + 4;
  return size;
}
