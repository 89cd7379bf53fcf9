import type { Metadata, StoredEntry } from "@kv/core";
import { isInFile, referenceOf } from "./reference.ts";

/** The metadata of the store's `getMetadata`, and those of the file. */
export interface FileMetadata extends Metadata {
  /**
   * The SHA-256 of the file's content, as 64 hexadecimal digits: an HTTP entity tag. `undefined`: the value is in the
   * index.
   */
  readonly etag?: string;
  /** As it was given to `setStream`. */
  readonly contentType?: string;
  /** The file, relative to the directory. `undefined`: the value is in the index. */
  readonly file?: string;
}

/** @throws Refusal `KV_CORRUPT` if the entry's reference is invalid */
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
