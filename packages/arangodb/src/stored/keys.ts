import { hash } from "node:crypto";
import type { Namespace } from "@kv/core";

/**
 * Encodes keys as attributes that the server orders as the contract requires: by UTF-8 bytes.
 *
 * `<`, SORT and persistent indexes compare strings by the collation of the server's language, which is fixed when its data
 * directory is created, and which a client cannot query. So each byte becomes two of 16 symbols that every language sorts in
 * the same order. Hexadecimal digits would not work: Danish sorts `aa` after `z`, Welsh has `dd` and `ff`, Czech `ch`. Only
 * the empty string sorts below `0`, and UTF-8 has no byte 255, so `tt` is above everything.
 */
const SYMBOLS = "0123456789bcjkqt";

/** Both symbols of each byte. */
const PAIRS: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => `${SYMBOLS[byte >> 4]}${SYMBOLS[byte & 15]}`,
);

/** Above every encoded string. */
export const HIGHEST = "tt";

const UTF8 = new TextEncoder();

/** The encoding of a well-formed string: encodings compare like the UTF-8 bytes of the strings. */
export function ordered(text: string): string {
  let encoded = "";
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // A character beyond ASCII takes several bytes.
    if (unit > 0x7f) return encoded + orderedBytes(text.slice(i));
    encoded += PAIRS[unit];
  }
  return encoded;
}

function orderedBytes(text: string): string {
  let encoded = "";
  for (const byte of UTF8.encode(text)) encoded += PAIRS[byte];
  return encoded;
}

/** The first encoding after that of a string: that of the string followed by NUL. */
export function orderedAfter(text: string): string {
  return `${ordered(text)}00`;
}

/** The bounds of the encoded ids of the namespaces below a namespace. */
export function descendants({ id }: Namespace): { readonly from: string; readonly to: string } {
  // An id ends with "/", so every id that begins with it lies below the same text ending in the next character, "0".
  return { from: `${ordered(id)}0`, to: id === "" ? HIGHEST : ordered(`${id.slice(0, -1)}0`) };
}

/**
 * The `_key` of an entry's document: a hash, since the server's keys have at most 254 bytes, and only certain characters. The
 * namespace's length comes first, so that no two pairs of namespace and key are hashed alike.
 */
export function documentKey(namespaceId: string, key: string): string {
  return hash("sha256", `${namespaceId.length}:${namespaceId}${key}`, "base64url");
}

/** The `_key` of a link, from both ends and the type, so that linking twice creates one link. */
export function linkKey(from: string, type: string, to: string): string {
  return hash("sha256", `${from}${to}${type}`, "base64url");
}

/** Strings in the order in which the server must sort them for ranges to be right. */
export function orderProbe(): readonly string[] {
  const probe = ["", ...SYMBOLS, ...PAIRS, "00b", "0b0", "b00", "bcjkqt", "cc", "ccc", "tt", "ttt"];
  return [...new Set(probe)].sort(byBytes);
}

/** The probe is all ASCII, whose UTF-16 units are its bytes. */
function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
