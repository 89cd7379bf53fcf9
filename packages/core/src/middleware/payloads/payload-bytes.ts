import type { Payload } from "../../contract/adapter.ts";
import { isBytes } from "../../contract/any-realm.ts";
import { textOfJson } from "../../values/json-value.ts";

/** The kind of payload that the bytes encode. The numbers are stored, and so permanent. */
const BYTES = 0;
const TEXT = 1;
const JSON_VALUE = 2;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A payload as bytes: one byte for its kind, then its content. */
export function payloadBytes(payload: Payload): Uint8Array<ArrayBuffer> {
  if (isBytes(payload)) return tagged(BYTES, payload);
  if (typeof payload === "string") return tagged(TEXT, encoder.encode(payload));
  return tagged(JSON_VALUE, encoder.encode(textOfJson(payload)));
}

/** The payload that the bytes encode. @throws if they do not encode one */
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
