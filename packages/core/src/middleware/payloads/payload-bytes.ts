import type { Payload } from "../../contract/adapter.ts";
import { isBytes } from "../../contract/any-realm.ts";
import { textOfJson } from "../../values/json-value.ts";

/** What the bytes of a payload are of. Stored: the numbers are for ever. */
const BYTES = 0;
const TEXT = 1;
const JSON_VALUE = 2;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A payload as bytes: one that says what it was, then its own. */
export function payloadBytes(payload: Payload): Uint8Array<ArrayBuffer> {
  if (isBytes(payload)) return tagged(BYTES, payload);
  if (typeof payload === "string") return tagged(TEXT, encoder.encode(payload));
  return tagged(JSON_VALUE, encoder.encode(textOfJson(payload)));
}

/** The payload that the bytes were made of. @throws where they are of none */
export function payloadOf(bytes: Uint8Array): Payload {
  const content = bytes.subarray(1);
  switch (bytes[0]) {
    case BYTES:
      return new Uint8Array(content);
    case TEXT:
      return decoder.decode(content);
    case JSON_VALUE:
      return JSON.parse(decoder.decode(content));
    default:
      throw new TypeError("these are no bytes of a payload");
  }
}

function tagged(kind: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(content.byteLength + 1);
  bytes[0] = kind;
  bytes.set(content, 1);
  return bytes;
}
