import type { Metadata, StoredEntry } from "@kv/core";
import { isInFile, referenceOf } from "./reference.ts";

/** What `getMetadata` of the store tells, and what is known of the file. */
export interface FileMetadata extends Metadata {
  /** The SHA-256 of what the file holds, as 64 hexadecimal digits: an HTTP entity tag. `undefined`: the value is in the index. */
  readonly etag?: string;
  /** As it was given to `setStream`. */
  readonly contentType?: string;
  /** The file, relative to the directory. `undefined`: the value is in the index. */
  readonly file?: string;
}

/** @throws Refusal `KV_CORRUPT` where the entry names no file */
export function fileMetadata(entry: StoredEntry, metadata: Metadata): FileMetadata {
  if (!isInFile(entry.encoding)) return metadata;
  const { sha256, size, contentType, file } = referenceOf(entry.payload);
  return {
    ...metadata,
    size,
    etag: sha256,
    file,
    ...(contentType === undefined ? undefined : { contentType }),
  };
}
