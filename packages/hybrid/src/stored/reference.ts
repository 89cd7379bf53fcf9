// The index entry for a payload in a file. Its encoding is the payload's own with the prefix "file+", which no codec name
// can contain, and its payload is this reference as JSON text, readable by the index's own tools. Field names never change.

import { type Payload, Refusal, type StoredEntry } from "@kv/core";
import { isFileName } from "../directory/file-name.ts";

export interface Reference {
  /** The path below the directory, with `/`. */
  readonly file: string;
  /** The SHA-256 of the file's content before compression: 64 hexadecimal digits. */
  readonly sha256: string;
  /** Bytes of the payload. */
  readonly size: number;
  /** Bytes of the file's content before compression: more than `size` if it was indented for people. */
  readonly contentSize: number;
  /** Bytes of the file. */
  readonly fileSize: number;
  /** Whether the payload is text rather than bytes. */
  readonly text: boolean;
  readonly gzip: boolean;
  /** As given to `setStream`. */
  readonly contentType: string | undefined;
}

const PREFIX = "file+";
/** The encoding with which core middleware marks entries that it cannot read; the payload is the reason. */
const UNREADABLE = "unreadable+";

export function encodingInFile(encoding: string): string {
  return PREFIX + encoding;
}

/** Whether the payload of an entry, or of a mutation, is in a file. */
export function isInFile(encoding: string): boolean {
  return encoding.startsWith(PREFIX);
}

/**
 * Whether the payload of an entry is in a file. False for an entry that the index cannot read (its fields may throw): it is
 * passed on unchanged, and only a caller that wants its value gets the error.
 */
export function isOfFile(entry: StoredEntry): boolean {
  return isReadable(entry) && isInFile(entry.encoding);
}

/** The encoding of the payload itself. */
export function encodingOf(entry: StoredEntry): string {
  return isOfFile(entry) ? entry.encoding.slice(PREFIX.length) : entry.encoding;
}

export function referenceText(reference: Reference): string {
  return JSON.stringify(reference);
}

/** The reference in an entry whose payload is in a file, or why it is invalid. */
export function referenceIn(payload: Payload): Reference | Refusal {
  return (
    parse(payload) ??
    new Refusal("KV_CORRUPT", "the index entry has no valid reference to a file; delete or rewrite the entry")
  );
}

/** @throws Refusal `KV_CORRUPT` if it is invalid */
export function referenceOf(payload: Payload): Reference {
  const reference = referenceIn(payload);
  if (reference instanceof Refusal) throw reference;
  return reference;
}

function parse(payload: Payload): Reference | undefined {
  if (typeof payload !== "string") return undefined;
  let found: Partial<Record<keyof Reference, unknown>>;
  try {
    found = JSON.parse(payload) as Partial<Record<keyof Reference, unknown>>;
  } catch {
    return undefined;
  }
  if (typeof found !== "object" || found === null) return undefined;
  const { file, sha256, size, contentSize, fileSize, text, gzip, contentType } = found;
  if (typeof file !== "string" || !isFileName(file)) return undefined;
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  if (!isLength(size) || !isLength(contentSize) || !isLength(fileSize)) return undefined;
  if (typeof text !== "boolean" || typeof gzip !== "boolean") return undefined;
  if (contentType !== undefined && typeof contentType !== "string") return undefined;
  return { file, sha256, size, contentSize, fileSize, text, gzip, contentType };
}

function isLength(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** An entry with other content. Copied field by field, because the fields of an entry may be getters. */
export function withContent(
  entry: StoredEntry,
  content: Pick<StoredEntry, "payload" | "encoding" | "size">,
): StoredEntry {
  return {
    key: entry.key,
    payload: content.payload,
    encoding: content.encoding,
    revision: entry.revision,
    createdAt: entry.createdAt,
    updatedAt: entry.updatedAt,
    expiresAt: entry.expiresAt,
    policy: entry.policy,
    user: entry.user,
    size: content.size,
  };
}

/** An existing entry that cannot be read: the front finds the reason in place of the payload, and refuses only this entry. */
export function unreadable(entry: StoredEntry, reason: Refusal): StoredEntry {
  return withContent(entry, { payload: reason, encoding: UNREADABLE + entry.encoding, size: entry.size });
}

/** Whether an entry of the index can be read. */
export function isReadable(entry: StoredEntry): boolean {
  return whyUnreadable(entry) === undefined;
}

export function whyUnreadable(entry: StoredEntry): Refusal | undefined {
  try {
    return entry.encoding.startsWith(UNREADABLE) && entry.payload instanceof Refusal
      ? entry.payload
      : undefined;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}
