import { constants } from "node:buffer";
import { createHash, subtle } from "node:crypto";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { type Adapter, type Payload, Refusal, type SetMutation } from "@kv/core";

const zip = promisify(gzip);
const unzip = promisify(gunzip);
/** Longer ones are hashed on another thread. */
const LARGE = 256 * 2 ** 10;
/** The driver of hashes takes less than 2 GB at once. */
const HUGE = 2 ** 30;

type Encoded = Pick<SetMutation, "payload" | "encoding">;

/** Whether a payload takes at least so many bytes. Numbers never do: the index has to be able to add to them. */
export function isLarge({ payload, encoding }: Encoded, form: Adapter["form"], bytes: number): boolean {
  if (payload instanceof Uint8Array) return payload.byteLength >= bytes;
  if (encoding === "json") {
    if (typeof payload === "number") return false;
    if (form === "value") return Buffer.byteLength(JSON.stringify(payload)) >= bytes;
    if (isNumberText(payload as string)) return false;
  }
  const text = payload as string;
  // A UTF-16 unit takes one to three bytes.
  if (text.length >= bytes || text.length * 3 < bytes) return text.length >= bytes;
  return Buffer.byteLength(text) >= bytes;
}

/** Of JSON text only numbers begin so. */
function isNumberText(text: string): boolean {
  const first = text.charCodeAt(0);
  return first === 0x2d || (first >= 0x30 && first <= 0x39);
}

/** What a file is to hold of a payload. */
export interface Content {
  readonly bytes: Uint8Array;
  readonly sha256: string;
  /** Bytes of the payload itself. */
  readonly size: number;
  readonly text: boolean;
}

/** `pretty`: JSON is laid out for people. */
export async function contentOf(
  { payload, encoding }: Encoded,
  form: Adapter["form"],
  pretty: boolean,
): Promise<Content> {
  if (payload instanceof Uint8Array) {
    return { bytes: payload, sha256: await sha256Of(payload), size: payload.byteLength, text: false };
  }
  const isValue = form === "value" && encoding === "json";
  const text = isValue ? JSON.stringify(payload) : (payload as string);
  const bytes = Buffer.from(
    pretty && encoding === "json"
      ? `${JSON.stringify(isValue ? payload : JSON.parse(text), null, 2)}\n`
      : text,
  );
  return { bytes, sha256: await sha256Of(bytes), size: Buffer.byteLength(text), text: true };
}

/** The payload again. @throws Refusal `KV_CAPACITY` where the text is longer than a string can be */
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

/** The bytes compressed; `undefined` where that makes them no smaller. */
export async function compressed(bytes: Uint8Array): Promise<Uint8Array | undefined> {
  const smaller = await zip(bytes);
  return smaller.byteLength < bytes.byteLength ? smaller : undefined;
}

export function decompressed(bytes: Uint8Array): Promise<Uint8Array> {
  return unzip(bytes);
}

async function sha256Of(bytes: Uint8Array): Promise<string> {
  if (bytes.byteLength >= LARGE && bytes.byteLength <= HUGE) {
    return Buffer.from(await subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>)).toString("hex");
  }
  const hash = createHash("sha256");
  for (let at = 0; at < bytes.byteLength; at += HUGE) hash.update(bytes.subarray(at, at + HUGE));
  return hash.digest("hex");
}
