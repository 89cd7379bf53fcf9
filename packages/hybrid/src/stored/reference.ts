// What stands in the index instead of a payload that lies in a file: an entry whose encoding is the payload's own with
// "file+" before it, which no codec's name can hold, and whose payload is this as JSON text, readable by the index's own
// tools. Field names are for ever.

import { type Payload, Refusal, type StoredEntry } from "@kv/core";
import { isFileName } from "../directory/file-name.ts";

export interface Reference {
  /** The path below the directory, with `/`. */
  readonly file: string;
  /** Of what the file holds, before it was compressed: 64 hexadecimal digits. */
  readonly sha256: string;
  /** Bytes of the payload. */
  readonly size: number;
  /** Bytes of what the file holds, before it was compressed: more than `size` where it was laid out for people. */
  readonly contentSize: number;
  /** Bytes of the file. */
  readonly fileSize: number;
  /** Whether the payload is text, and not bytes. */
  readonly text: boolean;
  readonly gzip: boolean;
  /** As it was given with a stream. */
  readonly contentType: string | undefined;
}

const PREFIX = "file+";
/** What middleware of the core marks entries with that it cannot read, the reason in place of the payload. */
const UNREADABLE = "unreadable+";

export function encodingInFile(encoding: string): string {
  return PREFIX + encoding;
}

/** Whether the payload of an entry, or of a mutation, lies in a file. */
export function isInFile(encoding: string): boolean {
  return encoding.startsWith(PREFIX);
}

/**
 * Whether the payload of an entry lies in a file. Of an entry that the index cannot read (its fields may throw) that is not
 * known: it is left as it is, and whoever wants its value is told, and nobody else.
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

/** The reference in an entry whose payload lies in a file, or why it is none. */
export function referenceIn(payload: Payload): Reference | Refusal {
  return (
    parse(payload) ??
    new Refusal(
      "KV_CORRUPT",
      "what the index holds in place of the value names no file; delete or rewrite the entry",
    )
  );
}

/** @throws Refusal `KV_CORRUPT` where it is none */
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

/** An entry with another content. Field by field: entries may be instances whose fields are getters. */
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

/** An entry that is there and cannot be read: the front finds the reason in place of the payload, and refuses it alone. */
export function unreadable(entry: StoredEntry, reason: Refusal): StoredEntry {
  return withContent(entry, { payload: reason, encoding: UNREADABLE + entry.encoding, size: entry.size });
}

/** Whether an entry of the index is one, and not the reason why it cannot be read. */
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
