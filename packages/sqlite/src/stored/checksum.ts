/**
 * Checksums detect an altered row. SQLite's pages have none: a bit that flipped on the disk, or an edited file, would be
 * read as if the store had written it.
 *
 * A row has two sums. `checksum` guards the value: a hash of the namespace, the key, the encoding and the value, plus the
 * deadline. `metadata_checksum` guards the rest: a hash of revision, time of the last write and user metadata, plus the time
 * of creation and the policy. Fields that statements change without having read the row are added instead of hashed, so
 * that those statements can adjust the sum.
 *
 * Hashes are signed, so SQLite stores nearly all of them in four bytes: a row whose length stays the same is overwritten in
 * place, in two thirds of the time.
 */

import { crc32 } from "node:zlib";
import { isBytes } from "@kv/core";

/** Up to this many characters, hashing here is faster than the native function, which must encode them in UTF-8. */
const SHORT = 192;
/** FNV-1a. Every step is reversible, so a single differing character always changes the hash. */
const PRIME = 0x01000193;
const OFFSET = 0x811c9dc5;
/** Stands between two texts; not a valid character. */
const SEPARATOR = 0x10000;
/** Added for an evictable row: beyond any hash. */
export const EVICTABLE: number = 2 ** 33;
/** Added if there is no deadline. Not 0: a single flipped bit turns NULL into 0. */
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

/** The sum of a value stored under this key; `NaN`, which no row has, for a value that is neither text nor bytes. */
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

/** The sum of the fields that every write sets; `NaN` if the user metadata is not text. The caller adds time of creation and `EVICTABLE`. */
export function writeChecksum(revision: number, updatedAt: number, user: unknown): number {
  const hash = hashInteger(updatedAt, hashInteger(revision, OFFSET)) >>> 0;
  if (user === null || user === undefined) return hash;
  return typeof user === "string" ? hash + (hashText(user, OFFSET) >>> 0) : Number.NaN;
}
