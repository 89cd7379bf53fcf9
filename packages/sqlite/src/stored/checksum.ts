/**
 * What tells an altered row, since SQLite's pages have no checksums: a bit that flips on the disk, or a file that
 * somebody edits, would be read as if it had been written.
 *
 * A row has two sums. `checksum` is looked at by whoever reads the value: a hash of the namespace, the key, the encoding
 * and the value, plus the deadline. `metadata_checksum` is for whoever reads the rest: a hash of revision, time of the
 * last write and user metadata, plus the time of creation and the policy. What statements change without having read
 * the row is added instead of hashed, so that they can change the sum with it.
 *
 * Hashes are signed, which makes nearly all of them integers of four bytes to SQLite: a row that stays as long as it was
 * is overwritten in place, in two thirds of the time.
 */

import { crc32 } from "node:zlib";
import { isBytes } from "@kv/core";

/** Characters up to which hashing here takes less than calling the native function, which must make UTF-8 of them. */
const SHORT = 192;
/** FNV-1a. Every step is reversible: a single character that differs always shows. */
const PRIME = 0x01000193;
const OFFSET = 0x811c9dc5;
/** No character: what stands between two texts. */
const SEPARATOR = 0x10000;
/** Added for an evictable row: beyond any hash. */
export const EVICTABLE: number = 2 ** 33;
/** Added where there is no deadline. A single bit makes a 0 of NULL, so it is not that. */
export const NEVER = -1;

function hashText(text: string, from: number): number {
  let hash = from;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), PRIME);
  return Math.imul(hash ^ SEPARATOR, PRIME);
}

function hashInteger(integer: number, from: number): number {
  const high = Math.imul(from ^ Math.floor(integer / 2 ** 32), PRIME);
  return Math.imul(high ^ integer, PRIME);
}

/** Of a value that is stored under this key. `NaN`, which no row has, for what is neither text nor bytes. */
export function checksum(
  namespace: number,
  key: string,
  encoding: string,
  value: unknown,
  expiresAt: number | null,
): number {
  const named = hashText(key, Math.imul(OFFSET ^ namespace, PRIME));
  const place = encoding === "json" ? named : hashText(encoding, named);
  let hash: number;
  if (typeof value === "string")
    hash = value.length <= SHORT ? hashText(value, place) : crc32(value, place >>> 0);
  else if (isBytes(value)) hash = crc32(value, ~place >>> 0);
  else return Number.NaN;
  return (hash | 0) + (expiresAt ?? NEVER);
}

/** Of the fields that every write sets; `NaN` where the user metadata is no text. The time of creation and `EVICTABLE` come on top. */
export function writeChecksum(revision: number, updatedAt: number, user: unknown): number {
  const hash = hashInteger(updatedAt, hashInteger(revision, OFFSET)) >>> 0;
  if (user === null || user === undefined) return hash;
  return typeof user === "string" ? hash + (hashText(user, OFFSET) >>> 0) : Number.NaN;
}
