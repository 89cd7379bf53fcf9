import { isBytes, type Payload, Refusal, textOfJson } from "@kv/core";

/** How deep a value may be nested as an attribute. The server accepts about 200 levels, of which the query uses some. */
const MAX_DEPTH = 128;
/** From this number on the server parses an integer digit by digit as a double, which may be off by the last bit (VelocyPack's Parser.cpp). */
const LEAST_INEXACT = 2 ** 63;
/** From this number on JavaScript writes an exponent, and the server parses exactly again. */
const LEAST_WITH_EXPONENT = 1e21;
/** From this number on the server's approximate check for overflow may refuse a number. */
const LEAST_OVERFLOWING = 1e308;

/** The attribute of a document that holds the payload: exactly one of these. */
export type StoredValue =
  | { readonly value: unknown }
  /** Another codec's text, or the JSON text of a value that the server would not return unchanged. */
  | { readonly text: string }
  /** In base64. */
  | { readonly bytes: string };

/** A payload in its stored form, and about how many bytes that takes on the wire. */
export function storedValue(
  payload: Payload,
  encoding: string,
): { readonly stored: StoredValue; readonly size: number } {
  if (isBytes(payload)) {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString("base64");
    return { stored: { bytes }, size: bytes.length };
  }
  if (encoding !== "json" && typeof payload === "string") {
    return { stored: { text: payload }, size: payload.length };
  }
  const size = attributeSize(payload, 0);
  if (size >= 0) return { stored: { value: payload }, size };
  const text = textOfJson(payload);
  return { stored: { text }, size: text.length };
}

/** Whether the server accepts a JSON value as an attribute, and returns it unchanged. */
export function isAttribute(value: unknown): boolean {
  return attributeSize(value, 0) >= 0;
}

/** The payload of a stored value. Values stored by other programs are returned unchanged: core reports what is wrong. */
export function payloadOf(encoding: string, value: unknown, text: unknown, bytes: unknown): Payload {
  if (typeof bytes === "string") return bytesOf(bytes);
  if (typeof text === "string") return encoding === "json" ? parsed(text) : text;
  return value;
}

/** Returns a refusal in place of a value that cannot be parsed: one entry never fails its page. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    return new Refusal("KV_CORRUPT", "the stored text is not valid JSON; delete or rewrite the entry", {
      cause,
    });
  }
}

function bytesOf(base64: string): Uint8Array {
  const buffer = Buffer.from(base64, "base64");
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** About how many bytes a value's JSON takes; negative: the server would refuse it, or return another value. */
function attributeSize(value: unknown, depth: number): number {
  if (typeof value === "string") return value.isWellFormed() ? value.length + 2 : -1;
  if (typeof value === "number") return isExact(value) ? 8 : -1;
  if (typeof value !== "object" || value === null) return 5;
  if (depth >= MAX_DEPTH) return -1;
  let size = 2;
  if (Array.isArray(value)) {
    for (const item of value) {
      const inner = attributeSize(item, depth + 1);
      if (inner < 0) return -1;
      size += inner + 1;
    }
    return size;
  }
  for (const [name, member] of Object.entries(value)) {
    // An empty attribute name could not be used in a query.
    const inner = name !== "" && name.isWellFormed() ? attributeSize(member, depth + 1) : -1;
    if (inner < 0) return -1;
    size += name.length + inner + 4;
  }
  return size;
}

function isExact(number: number): boolean {
  const amount = Math.abs(number);
  return amount < LEAST_INEXACT || (amount >= LEAST_WITH_EXPONENT && amount < LEAST_OVERFLOWING);
}
