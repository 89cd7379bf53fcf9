import { hash } from "node:crypto";
import type { Namespace } from "@kv/core";

/**
 * How keys become attributes that the server orders as the contract wants it: by UTF-8 bytes.
 *
 * `<`, SORT and persistent indexes compare strings by the collation of the server's language, which is fixed when its
 * data directory is made and which a client cannot ask for. So each byte becomes two of 16 symbols that every language sorts in
 * the same order. Hexadecimal digits would not do: Danish sorts `aa` behind `z`, Welsh has `dd` and `ff`, Czech `ch`.
 * Below `0` nothing sorts but the empty string, and no byte of UTF-8 is 255, so that `tt` is above everything.
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

/** The encoding of a well-formed string: two encodings compare as the UTF-8 bytes of what they encode. */
export function ordered(text: string): string {
  let encoded = "";
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // Beyond ASCII a character is several bytes.
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

/** The first encoding behind that of a string: the one of the string with a NUL behind it. */
export function orderedAfter(text: string): string {
  return `${ordered(text)}00`;
}

/** Where the encoded ids of the namespaces below a namespace begin and end. */
export function descendants({ id }: Namespace): { readonly from: string; readonly to: string } {
  // An id ends with "/", so that whatever begins with it lies before the same with the next character, "0".
  return { from: `${ordered(id)}0`, to: id === "" ? HIGHEST : ordered(`${id.slice(0, -1)}0`) };
}

/**
 * The `_key` of an entry's document: a hash, since a key of the server has at most 254 bytes of few characters. The
 * namespace's length stands in front, so that no two pairs of namespace and key are hashed alike.
 */
export function documentKey(namespaceId: string, key: string): string {
  return hash("sha256", `${namespaceId.length}:${namespaceId}${key}`, "base64url");
}

/** The same for a link: by both ends and the type, so that linking twice makes one. */
export function linkKey(from: string, type: string, to: string): string {
  return hash("sha256", `${from}${to}${type}`, "base64url");
}

/** Strings in the order in which the server has to sort them, or ranges would be wrong. */
export function orderProbe(): readonly string[] {
  const probe = ["", ...SYMBOLS, ...PAIRS, "00b", "0b0", "b00", "bcjkqt", "cc", "ccc", "tt", "ttt"];
  return [...new Set(probe)].sort(byBytes);
}

/** All of the probe is ASCII, whose units are its bytes. */
function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
