import { constants } from "node:buffer";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { type Adapter, isBytes, type Payload, Refusal, type SetMutation, textOfJson } from "@kv/core";

const zip = promisify(gzip);
const unzip = promisify(gunzip);

type Encoded = Pick<SetMutation, "payload" | "encoding">;

/** Whether a payload has at least this many bytes. Numbers are never large, because the index must be able to add to them. */
export function isLarge({ payload, encoding }: Encoded, form: Adapter["form"], bytes: number): boolean {
  if (isBytes(payload)) return payload.byteLength >= bytes;
  if (encoding === "json") {
    if (typeof payload === "number") return false;
    if (form === "value") return Buffer.byteLength(textOfJson(payload)) >= bytes;
    if (isNumberText(payload as string)) return false;
  }
  const text = payload as string;
  // A UTF-16 unit takes one to three bytes.
  if (text.length >= bytes || text.length * 3 < bytes) return text.length >= bytes;
  return Buffer.byteLength(text) >= bytes;
}

/** Only numbers begin like this in JSON text. */
function isNumberText(text: string): boolean {
  const first = text.charCodeAt(0);
  return first === 0x2d || (first >= 0x30 && first <= 0x39);
}

/** A payload as the content of a file. */
export interface Content {
  readonly bytes: Uint8Array;
  /** The bytes of the payload itself. */
  readonly size: number;
  readonly text: boolean;
}

/** `pretty`: JSON is indented for people. */
export function contentOf({ payload, encoding }: Encoded, form: Adapter["form"], pretty: boolean): Content {
  if (isBytes(payload)) return { bytes: payload, size: payload.byteLength, text: false };
  const isValue = form === "value" && encoding === "json";
  const text = isValue ? textOfJson(payload) : (payload as string);
  if (!pretty || encoding !== "json") {
    const bytes = Buffer.from(text);
    return { bytes, size: bytes.byteLength, text: true };
  }
  const bytes = Buffer.from(`${textOfJson(isValue ? payload : JSON.parse(text), 2)}\n`);
  return { bytes, size: Buffer.byteLength(text), text: true };
}

/** The payload in a file's content. @throws Refusal `KV_CAPACITY` if the text is longer than a string can be */
export function payloadOf(
  bytes: Uint8Array,
  { text, encoding }: { readonly text: boolean; readonly encoding: string },
  form: Adapter["form"],
): Payload {
  if (!text) return bytes;
  const { buffer, byteOffset, byteLength } = bytes;
  if (byteLength > constants.MAX_STRING_LENGTH) {
    throw new Refusal("KV_CAPACITY", "the text is too long to be read as one value; read it as a stream");
  }
  const string = Buffer.from(buffer, byteOffset, byteLength).toString("utf8");
  return form === "value" && encoding === "json" ? JSON.parse(string) : string;
}

/** The compressed bytes; `undefined`: they are not smaller. */
export async function compressed(bytes: Uint8Array): Promise<Uint8Array | undefined> {
  const smaller = await zip(bytes);
  return smaller.byteLength < bytes.byteLength ? smaller : undefined;
}

/** The decompressed bytes. `size`: their expected number. @throws as soon as there are more */
export function decompressed(bytes: Uint8Array, size: number): Promise<Uint8Array> {
  return unzip(bytes, { maxOutputLength: Math.max(size, 1) });
}
