import type { StoredEntry } from "../contract/adapter.ts";
import { branded } from "../contract/brand.ts";
import { Refusal } from "../contract/errors.ts";

/**
 * An entry whose checksum differs: reading more of it than its key throws `KV_CORRUPT`. For adapters whose backend does
 * not verify what it reads.
 */
export class CorruptEntry implements StoredEntry {
  static {
    branded(CorruptEntry, "CorruptEntry");
  }

  readonly key: string;

  constructor(key: string) {
    this.key = key;
  }

  /** The refusal that reading it throws. */
  static fault(): Refusal {
    return new Refusal(
      "KV_CORRUPT",
      "the entry was altered after it was written (its checksum differs); delete or rewrite it, or restore a backup",
    );
  }

  get payload(): never {
    throw CorruptEntry.fault();
  }

  get encoding(): never {
    return this.payload;
  }
  get revision(): never {
    return this.payload;
  }
  get createdAt(): never {
    return this.payload;
  }
  get updatedAt(): never {
    return this.payload;
  }
  get policy(): never {
    return this.payload;
  }
  get user(): never {
    return this.payload;
  }

  /** A damaged entry has no deadline and no size to rely on. */
  get expiresAt(): undefined {
    return undefined;
  }
  get size(): undefined {
    return undefined;
  }
}
