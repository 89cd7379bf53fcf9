import { CorruptEntry, type Payload, type Policy, type StoredEntry } from "@kv/core";
import { checksum, EVICTABLE, writeChecksum } from "./checksum.ts";
import { type Block, type Revisions, textIn } from "./revisions.ts";

/** A row of the table of entries as the driver returns it in `raw` mode, in the order of `COLUMNS`. */
export type Row = readonly [
  value: string | Uint8Array,
  encoding: string,
  revision: number,
  createdAt: number,
  updatedAt: number,
  expiresAt: number | null,
  evictable: number,
  user: string | null,
  checksum: number,
  metadataChecksum: number,
];

/** The columns of a `Row`, in its order. The caller may prefix them with a table's name. */
export const COLUMNS: readonly string[] = [
  "value",
  "encoding",
  "revision",
  "created_at",
  "updated_at",
  "expires_at",
  "evictable",
  "user_metadata",
  "checksum",
  "metadata_checksum",
];

/** The index of the key in a `KeyedRow`. */
export const KEY = 10;

/** All that most reads need, in the order of `PAYLOAD_COLUMNS`. */
export type PayloadRow = readonly [
  value: string | Uint8Array,
  encoding: string,
  expiresAt: number | null,
  checksum: number,
];

export const PAYLOAD_COLUMNS: readonly string[] = ["value", "encoding", "expires_at", "checksum"];

export type KeyedRow = readonly [...row: Row, key: string];

/** The entry in a row, or a `CorruptEntry` if a checksum does not match. */
export function entryOf(
  namespace: number,
  key: string,
  row: Row,
  revisions: Revisions,
): SqliteEntry | CorruptEntry {
  const metadata = writeChecksum(row[2], row[4], row[7]) + row[3] + (row[6] === 0 ? 0 : EVICTABLE);
  return checksum(namespace, key, row[1], row[0], row[5]) === row[8] && metadata === row[9]
    ? new SqliteEntry(key, row, revisions.blockOf(row[2]))
    : new CorruptEntry(key);
}

/** As `entryOf`, `undefined` if it has expired. An altered row is corrupt, not expired: its deadline proves nothing. */
export function liveEntryOf(
  namespace: number,
  key: string,
  row: Row,
  revisions: Revisions,
  clock: () => number,
): StoredEntry | undefined {
  const entry = entryOf(namespace, key, row, revisions);
  return isExpired(row[5], clock) && entry instanceof SqliteEntry ? undefined : entry;
}

/** As `liveEntryOf`, for readers that need only the payload: from the columns in `PAYLOAD_COLUMNS`. */
export function livePayloadOf(
  namespace: number,
  key: string,
  row: PayloadRow,
  clock: () => number,
): StoredEntry | undefined {
  const expiresAt = row[2];
  if (checksum(namespace, key, row[1], row[0], expiresAt) !== row[3]) return new CorruptEntry(key);
  return isExpired(expiresAt, clock) ? undefined : new PayloadEntry(key, row[0], row[1]);
}

/** An entry over a row, whose fields are read only when asked for. */
export class SqliteEntry implements StoredEntry {
  readonly key: string;
  readonly #row: Row;
  readonly #block: Block;

  constructor(key: string, row: Row, block: Block) {
    this.key = key;
    this.#row = row;
    this.#block = block;
  }

  get payload(): Payload {
    return payloadOf(this.#row[0]);
  }

  get encoding(): string {
    return this.#row[1];
  }

  get revision(): string {
    return textIn(this.#block, this.#row[2]);
  }

  get createdAt(): number {
    return this.#row[3];
  }

  get updatedAt(): number {
    return this.#row[4];
  }

  get expiresAt(): number | undefined {
    return this.#row[5] ?? undefined;
  }

  get policy(): Policy {
    return this.#row[6] === 0 ? "persist" : "evict";
  }

  get user(): string | undefined {
    return this.#row[7] ?? undefined;
  }

  get size(): number {
    return Buffer.byteLength(this.#row[0]);
  }
}

/** An entry for readers that need only the payload: the other fields are placeholders. */
export class PayloadEntry implements StoredEntry {
  readonly key: string;
  readonly encoding: string;
  readonly #value: string | Uint8Array;

  constructor(key: string, value: string | Uint8Array, encoding: string) {
    this.key = key;
    this.encoding = encoding;
    this.#value = value;
  }

  get payload(): Payload {
    return payloadOf(this.#value);
  }

  get revision(): string {
    return "?";
  }

  get createdAt(): number {
    return 0;
  }

  get updatedAt(): number {
    return 0;
  }

  get expiresAt(): undefined {
    return undefined;
  }

  get policy(): Policy {
    return "persist";
  }

  get user(): undefined {
    return undefined;
  }

  get size(): undefined {
    return undefined;
  }
}

/** No copy: the driver's Buffers do not share their memory. */
function payloadOf(value: string | Uint8Array): Payload {
  return typeof value === "string" ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

/** Whether a row with this deadline counts as absent. */
export function isExpired(expiresAt: number | null, clock: () => number): boolean {
  return expiresAt !== null && expiresAt <= clock();
}
