/**
 * The stored value of an entry: UTF-8 text, unless the payload is bytes:
 *
 * ```
 * 8 hex digits    checksum of the key and of everything that follows
 * "1"             version
 * "@".."_"        0x40 + flags: 1 policy "evict", 2 has a deadline, 4 has an encoding, 8 has user metadata, 16 bytes
 * revision SP createdAt SP updatedAt [SP deadline] [SP encoding] LF
 * [user metadata LF]
 * payload
 * ```
 *
 * Times are milliseconds since 1970. Without flag 4 the encoding is `json`, or `bytes` with flag 16. Header and payload share
 * one value: if they were separate, every read and write would take two operations.
 */
import { CorruptEntry, type Payload, type Policy, type StoredEntry } from "@kv/core";
import { beginsWith, CHECKSUM_LENGTH, checksum, checksumFrom, checksumText } from "./checksum.ts";

const VERSION = "1";
const FLAGS_AT = CHECKSUM_LENGTH + 1;
const FIELDS_AT = FLAGS_AT + 1;
const EVICT = 1;
const DEADLINE = 2;
const ENCODING = 4;
const USER = 8;
const BYTES = 16;

/** A value as it is stored: bytes if the payload is bytes, else text. */
export type StoredValue = string | Uint8Array;

/** The fields before the payload; numbers that are only copied from one value to the next stay text. */
export interface Fields {
  readonly revision: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly expiresAt: number | undefined;
  readonly policy: Policy;
  readonly encoding: string;
  readonly user: string | undefined;
}

/** Whether the payload of a value is bytes, even if the value was read as text. */
export function holdsBytes(value: StoredValue): boolean {
  const flags = typeof value === "string" ? value.charCodeAt(FLAGS_AT) : (value[FLAGS_AT] ?? 0);
  return (flags & BYTES) !== 0;
}

export function encodeEntry(storedKey: string, fields: Fields, payload: Payload): StoredValue {
  if (typeof payload === "string") {
    const content = headText(fields, "json") + payload;
    return checksumText(checksum(storedKey, content)) + content;
  }
  const bytes = payload as Uint8Array;
  const head = Buffer.from(headText(fields, "bytes"));
  const sum = checksumFrom(checksum(storedKey, head), bytes);
  return Buffer.concat([Buffer.from(checksumText(sum)), head, bytes]);
}

function headText(fields: Fields, usual: "json" | "bytes"): string {
  const { revision, createdAt, updatedAt, expiresAt, policy, encoding, user } = fields;
  let flags = usual === "bytes" ? BYTES : 0;
  let text = `${revision} ${createdAt} ${updatedAt}`;
  if (policy === "evict") flags |= EVICT;
  if (expiresAt !== undefined) {
    flags |= DEADLINE;
    text += ` ${expiresAt}`;
  }
  if (encoding !== usual) {
    flags |= ENCODING;
    text += ` ${encodeURIComponent(encoding)}`;
  }
  text += "\n";
  if (user !== undefined) {
    flags |= USER;
    // A line feed in JSON text is white space between tokens; within a token there is none.
    text += `${user.replaceAll("\n", " ")}\n`;
  }
  return VERSION + String.fromCharCode(0x40 + flags) + text;
}

/** A readable entry. Its header is parsed only when a field is asked for, since most reads need the payload alone. */
export class LeveldbEntry implements StoredEntry {
  readonly key: string;
  /** The whole value, or only the part before the payload if that is bytes. */
  readonly #text: string;
  readonly #bytes: Uint8Array | undefined;

  constructor(key: string, text: string, bytes: Uint8Array | undefined) {
    this.key = key;
    this.#text = text;
    this.#bytes = bytes;
  }

  get payload(): Payload {
    if (this.#bytes !== undefined) return this.#bytes;
    return this.#text.substring(this.#payloadAt);
  }

  get encoding(): string {
    const flags = this.#flags;
    if ((flags & ENCODING) === 0) return (flags & BYTES) === 0 ? "json" : "bytes";
    return decodeURIComponent(this.#fields.at(-1) ?? "");
  }

  get revision(): string {
    return this.#text.substring(FIELDS_AT, this.#text.indexOf(" ", FIELDS_AT));
  }

  get createdAt(): number {
    return Number(this.createdAtText);
  }

  get createdAtText(): string {
    return this.#fields[1] ?? "";
  }

  get updatedAt(): number {
    return Number(this.updatedAtText);
  }

  get updatedAtText(): string {
    return this.#fields[2] ?? "";
  }

  get expiresAt(): number | undefined {
    return (this.#flags & DEADLINE) === 0 ? undefined : Number(this.#fields[3]);
  }

  get policy(): Policy {
    return (this.#flags & EVICT) === 0 ? "persist" : "evict";
  }

  get user(): string | undefined {
    if ((this.#flags & USER) === 0) return undefined;
    const start = this.#text.indexOf("\n") + 1;
    return this.#text.substring(start, this.#text.indexOf("\n", start));
  }

  get size(): number {
    return this.#bytes?.byteLength ?? Buffer.byteLength(this.#text.substring(this.#payloadAt));
  }

  get #flags(): number {
    return this.#text.charCodeAt(FLAGS_AT);
  }

  get #fields(): string[] {
    return this.#text.substring(FIELDS_AT, this.#text.indexOf("\n")).split(" ");
  }

  get #payloadAt(): number {
    const start = this.#text.indexOf("\n") + 1;
    return (this.#flags & USER) === 0 ? start : this.#text.indexOf("\n", start) + 1;
  }
}

/** The entry in a stored value, or a `CorruptEntry` if the checksum does not match. */
export function decodeEntry(key: string, storedKey: string, value: StoredValue): LeveldbEntry | CorruptEntry {
  if (typeof value === "string") {
    const sum = checksum(storedKey, value.substring(CHECKSUM_LENGTH));
    if (!beginsWith(value, sum) || value[CHECKSUM_LENGTH] !== VERSION) return new CorruptEntry(key);
    return new LeveldbEntry(key, value, undefined);
  }
  const buffer = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const payloadAt = payloadOffset(buffer);
  const text = buffer.toString("utf8", 0, payloadAt);
  if (
    !beginsWith(text, checksum(storedKey, buffer.subarray(CHECKSUM_LENGTH))) ||
    text[CHECKSUM_LENGTH] !== VERSION
  )
    return new CorruptEntry(key);
  if (!holdsBytes(buffer)) return new LeveldbEntry(key, buffer.toString(), undefined);
  // Copied, so that the caller cannot reach the header through the value's underlying buffer.
  return new LeveldbEntry(key, text, new Uint8Array(buffer.subarray(payloadAt)));
}

function payloadOffset(buffer: Buffer): number {
  const start = buffer.indexOf(0x0a) + 1;
  const flags = buffer[FLAGS_AT] ?? 0;
  return (flags & USER) === 0 ? start : buffer.indexOf(0x0a, start) + 1;
}
