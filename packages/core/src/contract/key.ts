import { Refusal } from "./errors.ts";

/** A key's greatest length in UTF-8 bytes, its scope prefix counted. */
export const MAX_KEY_BYTES = 1024;

/** The length of a well-formed string in UTF-8 bytes. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    // A surrogate pair is two units and four bytes; any other unit of the plane is three bytes.
    else if (unit >= 0xd800 && unit <= 0xdfff) bytes += 1;
    else bytes += 2;
  }
  return bytes;
}

/** The refusal of an invalid key, or `undefined` for a valid one. `prefix` is the scope's, already valid. */
export function keyFault(key: unknown, prefix: string): Refusal | undefined {
  if (typeof key !== "string") {
    return new Refusal("KV_INVALID_KEY", `a key must be a string, not ${key === null ? "null" : typeof key}`);
  }
  const length = key.length + prefix.length;
  // A UTF-16 unit takes at most three bytes, so short keys need no counting.
  if (key !== "" && length <= MAX_KEY_BYTES / 3 && key.isWellFormed()) return undefined;
  if (key === "") return new Refusal("KV_INVALID_KEY", "a key must not be empty");
  if (!key.isWellFormed()) {
    return new Refusal(
      "KV_INVALID_KEY",
      "a key must be well-formed Unicode, and this one has a lone surrogate",
    );
  }
  const bytes = length > MAX_KEY_BYTES ? MAX_KEY_BYTES + 1 : utf8Length(key) + utf8Length(prefix);
  if (bytes <= MAX_KEY_BYTES) return undefined;
  return new Refusal(
    "KV_INVALID_KEY",
    `a key has at most ${MAX_KEY_BYTES} UTF-8 bytes, its scope prefix counted; hash or shorten it`,
  );
}

/**
 * Compares in the order of UTF-8 bytes, which is the order of code points. JavaScript's own comparison goes by UTF-16
 * units and differs where one string has a surrogate pair (U+10000 and up) and the other a unit from U+E000 to U+FFFF.
 */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return x >= 0xd800 && y >= 0xd800 ? rank(x) - rank(y) : x - y;
  }
  return a.length - b.length;
}

/** Lifts surrogates above the rest of their plane. */
function rank(unit: number): number {
  return unit <= 0xdfff ? unit + 0x2000 : unit - 0x800;
}

/** The smallest string greater than every string that begins with `prefix`, or `undefined` if there is no such string. */
export function prefixEnd(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  while (points.length > 0) {
    const last = points.pop() ?? 0;
    if (last === 0x10ffff) continue;
    const next = last + 1;
    points.push(next >= 0xd800 && next <= 0xdfff ? 0xe000 : next);
    return String.fromCodePoint(...points);
  }
  return undefined;
}

/** The smallest string greater than `key`. */
export function keyAfter(key: string): string {
  return `${key}\0`;
}

/** Whether `start <= key < end`. */
export function inBounds(
  key: string,
  bounds: { readonly start: string; readonly end: string | undefined },
): boolean {
  return (
    (bounds.start === "" || compareKeys(key, bounds.start) >= 0) &&
    (bounds.end === undefined || compareKeys(key, bounds.end) < 0)
  );
}
