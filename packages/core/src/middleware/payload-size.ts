import type { Payload } from "../adapter.ts";
import { utf8Length } from "../key.ts";

/** The bytes of a payload: of bytes their number, of text its length in UTF-8, of a JSON value that of its JSON text. */
export function payloadSize(payload: Payload): number {
  if (typeof payload === "string") return utf8Length(payload);
  if (payload instanceof Uint8Array) return payload.byteLength;
  return utf8Length(JSON.stringify(payload));
}
