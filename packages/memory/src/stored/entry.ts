import type { Payload, Policy, StoredEntry } from "@kv/core";
import { payloadSize } from "../limits/payload-size.ts";
import { revisionText } from "./revision.ts";

/**
 * Times are kept as milliseconds relative to this moment. V8 stores integers of 32 bits in the object itself and all
 * others in objects of their own; a moment 2^31 ms ahead keeps times within 32 bits for the process's first 49 days.
 */
export const EPOCH: number = Date.now() + 0x7fffffff;

/** The part of an entry that a write sets. */
export type Content = Pick<StoredEntry, "payload" | "encoding" | "policy" | "user">;

/** One state of one key. Immutable: a write makes a new one, so that an entry that was returned does not change. */
export class MemoryEntry implements StoredEntry {
  readonly key: string;
  readonly payload: Payload;
  readonly encoding: string;
  readonly policy: Policy;
  readonly user: string | undefined;
  /** The number of the write that made it. */
  readonly version: number;
  /** Milliseconds since `EPOCH`, like the two below. */
  readonly created: number;
  readonly updated: number;
  readonly due: number | undefined;

  constructor(
    key: string,
    content: Content,
    version: number,
    created: number,
    updated: number,
    due: number | undefined,
  ) {
    this.key = key;
    this.payload = content.payload;
    this.encoding = content.encoding;
    this.policy = content.policy;
    this.user = content.user;
    this.version = version;
    this.created = created;
    this.updated = updated;
    this.due = due;
  }

  get size(): number | undefined {
    return undefined;
  }

  get revision(): string {
    return revisionText(this.version);
  }

  get createdAt(): number {
    return EPOCH + this.created;
  }

  get updatedAt(): number {
    return EPOCH + this.updated;
  }

  get expiresAt(): number | undefined {
    return this.due === undefined ? undefined : EPOCH + this.due;
  }

  /** Whether it has expired. */
  isDue(now: number): boolean {
    return this.due !== undefined && this.due <= now;
  }
}

/**
 * Used if bytes are limited: an entry that knows its size. A separate class, because otherwise the field would waste
 * memory.
 */
export class SizedEntry extends MemoryEntry {
  readonly #size: number = payloadSize(this.payload);

  override get size(): number {
    return this.#size;
  }
}
