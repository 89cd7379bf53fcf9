import { type Namespace, type Payload, type Policy, Refusal, type StoredEntry } from "@kv/core";
import { documentKey, ordered } from "./keys.ts";
import { RECLAIM_AFTER_MS } from "./layout.ts";
import { isAttribute, payloadOf, type StoredValue } from "./stored-value.ts";

/** The attributes that all documents of a namespace share: sent once per query. */
export interface NamespacePart {
  readonly n: string;
  readonly namespace: string;
}

export function namespacePart({ id }: Namespace): NamespacePart {
  return { n: ordered(id), namespace: id };
}

/** The attributes that identify a document's entry. */
export interface Identity {
  readonly _key: string;
  readonly k: string;
  readonly key: string;
}

export function identityOf(namespace: Namespace, key: string): Identity {
  return { _key: documentKey(namespace.id, key), k: ordered(key), key };
}

/** The other attributes of an entry's document, except those that the server fills in. */
export type Contents = StoredValue & {
  readonly encoding: string;
  readonly revision: string;
  readonly policy: Policy;
  readonly metadata?: unknown;
  readonly expiresAt?: number;
  readonly reclaimAt?: number;
};

/** A deadline as it is stored. Deadlines before 1970 are stored as 1: they have passed anyway. */
export function deadline(expiresAt: number): { readonly expiresAt: number; readonly reclaimAt: number } {
  const ms = Math.max(1, expiresAt);
  return { expiresAt: ms, reclaimAt: Math.ceil((ms + RECLAIM_AFTER_MS) / 1000) };
}

/** The user's metadata as an attribute: an object or, if the server would not return it unchanged, its JSON text. */
export function metadataOf(user: string | undefined): { readonly metadata?: unknown } {
  if (user === undefined) return {};
  const metadata: unknown = JSON.parse(user);
  return { metadata: isAttribute(metadata) ? metadata : user };
}

/** An entry as queries return it: `ROW`. */
export type Row = readonly [
  key: string,
  encoding: string,
  revision: string,
  createdAt: number,
  updatedAt: number,
  expiresAt: number | null,
  policy: Policy,
  metadata: unknown,
  value: unknown,
  text: string | null,
  bytes: string | null,
];

/** The entry of a document `d`, in AQL. Absent attributes are null. */
export const ROW =
  "[d.key, d.encoding, d.revision, d.createdAt, d.updatedAt, d.expiresAt, d.policy, d.metadata, d.value, d.text, d.bytes]";

/**
 * Whether a document `d` is a live entry, in AQL. Null sorts below every number, so it is replaced by one beyond every date.
 * Not `== null OR >`: the optimizer would turn an OR into two index ranges, and sort the results of both.
 */
export const LIVE = "(NOT_NULL(d.expiresAt, 9e15) > now)";

/**
 * The entry of a document. Documents may have been edited by hand: if one is no longer a valid entry, its payload is a refusal
 * with the reason, and its other fields are interpreted as far as possible.
 */
export class ArangoEntry implements StoredEntry {
  readonly #row: Row;
  readonly #expected: string | undefined;
  #payload: { readonly value: Payload } | undefined;

  /** @param expected the key that the document was found by, if it was found by its key */
  constructor(row: Row, expected?: string) {
    this.#row = row;
    this.#expected = expected;
  }

  get key(): string {
    return this.#expected ?? this.#row[0];
  }

  get encoding(): string {
    return this.#row[1];
  }

  get revision(): string {
    return this.#row[2];
  }

  get createdAt(): number {
    return timeOf(this.#row[3]);
  }

  get updatedAt(): number {
    return timeOf(this.#row[4]);
  }

  get expiresAt(): number | undefined {
    return typeof this.#row[5] === "number" ? this.#row[5] : undefined;
  }

  get policy(): Policy {
    return this.#row[6];
  }

  get user(): string | undefined {
    const metadata = this.#row[7];
    if (typeof metadata === "string") return isJsonObject(metadata) ? metadata : undefined;
    return typeof metadata === "object" && metadata !== null ? JSON.stringify(metadata) : undefined;
  }

  get payload(): Payload {
    if (this.#payload === undefined) {
      const [, encoding, , , , , , , value, text, bytes] = this.#row;
      const fault = faultOf(this.#row, this.#expected);
      this.#payload = { value: fault ?? payloadOf(encoding, value, text, bytes) };
    }
    return this.#payload.value;
  }

  get size(): undefined {
    return undefined;
  }
}

/** The fault of a document that was edited by hand; `undefined`: it is valid. */
function faultOf(row: Row, expected: string | undefined): Refusal | undefined {
  const attribute = faultyAttribute(row, expected);
  if (attribute === undefined) return undefined;
  return new Refusal(
    "KV_CORRUPT",
    `the attribute "${attribute}" of the entry's document is missing or invalid; repair the document, or delete the entry`,
  );
}

function faultyAttribute(row: Row, expected: string | undefined): string | undefined {
  const [key, encoding, revision, createdAt, updatedAt, expiresAt, policy, metadata, , , bytes] = row;
  if (typeof key !== "string" || (expected !== undefined && key !== expected)) return "key";
  if (typeof encoding !== "string" || encoding === "") return "encoding";
  if (typeof revision !== "string" || revision === "") return "revision";
  if (typeof createdAt !== "number") return "createdAt";
  if (typeof updatedAt !== "number") return "updatedAt";
  if (expiresAt !== null && typeof expiresAt !== "number") return "expiresAt";
  if (policy !== "persist" && policy !== "evict") return "policy";
  if (!isMetadata(metadata)) return "metadata";
  if (encoding === "bytes" && typeof bytes !== "string") return "bytes";
  return undefined;
}

function timeOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function isMetadata(metadata: unknown): boolean {
  if (typeof metadata === "string") return isJsonObject(metadata);
  return typeof metadata === "object" && !Array.isArray(metadata);
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
