/*
 * An entry as it is stored, in ASCII up to the payload, which follows as it is (text as UTF-8, bytes as bytes):
 *
 *    0  13  createdAt   milliseconds since 1970; filled in by the server, which knows whether the key existed
 *   13  13  updatedAt
 *   26  16  expiresAt   or dashes
 *   42   1  policy      p persist · e evict
 *   43   1  payload     j JSON text · b bytes · t another codec's text · o another codec's octets
 *   44   1  extras      + present · - absent
 *   45  16  revision
 *   61   4  length of the codec's name    only with extras
 *   65   7  length of the user metadata   only with extras
 *   72      the codec's name, the user metadata as JSON without characters beyond ASCII
 *
 * Fields of fixed length come first, so that scripts can change a deadline or a policy in place and need not read further.
 */

import { type Payload, type Policy, Refusal, type SetMutation, type StoredEntry } from "@kv/core";

const HEAD = 61;
const SIZES = 11;

export const NO_DEADLINE: string = "-".repeat(16);
/** In place of a deadline: the server keeps the entry's present one. */
export const KEPT_DEADLINE: string = "k".padEnd(16, "-");

const ENCODINGS: Readonly<Record<string, string>> = { j: "json", b: "bytes" };

/** A deadline in 16 places. */
export function deadlineText(expiresAt: number): string {
  return String(Math.ceil(expiresAt)).padStart(16, "0");
}

/** A moment in 13 places. */
export function timeText(time: number): string {
  return String(Math.trunc(time)).padStart(13, "0");
}

export interface Written {
  /** As `timeText` makes it. */
  readonly time: string;
  readonly deadline: string;
  readonly policy: Policy;
  readonly encoding: string;
  readonly user: string | undefined;
  readonly revision: string;
  readonly binary: boolean;
}

/** The metadata before the payload, without `createdAt`. */
export function headText({ time, deadline, policy, encoding, user, revision, binary }: Written): string {
  const kind =
    encoding === "json" && !binary ? "j" : encoding === "bytes" && binary ? "b" : binary ? "o" : "t";
  const named = kind === "o" || kind === "t" ? encoding : "";
  const extras = named !== "" || user !== undefined;
  const fixed = `${time}${deadline}${policy === "evict" ? "e" : "p"}${kind}${extras ? "+" : "-"}${revision}`;
  if (!extras) return fixed;
  const codec = ascii(named);
  const metadata = user === undefined ? "" : ascii(user);
  return `${fixed}${String(codec.length).padStart(4, "0")}${String(metadata.length).padStart(7, "0")}${codec}${metadata}`;
}

/** `headText` for a set. */
export function headOf(
  { payload, encoding, expiresAt, policy, user }: SetMutation,
  time: string,
  revision: string,
): string {
  const deadline =
    expiresAt === undefined ? NO_DEADLINE : expiresAt === "keep" ? KEPT_DEADLINE : deadlineText(expiresAt);
  return headText({ time, deadline, policy, encoding, user, revision, binary: typeof payload !== "string" });
}

/** JSON text with every character beyond ASCII escaped: as many bytes as characters. */
function ascii(json: string): string {
  return json.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: everything but ASCII
    /[^\x00-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** An entry as it was read. Each field is parsed when it is asked for, since most reads only need the value. */
export class RedisEntry implements StoredEntry {
  readonly key: string;
  readonly #raw: Buffer;

  constructor(key: string, raw: Buffer) {
    this.key = key;
    this.#raw = raw;
  }

  get payload(): Payload {
    const raw = this.#raw;
    const kind = raw[43];
    const start = this.#payloadStart;
    return kind === 0x6a || kind === 0x74 ? raw.toString("utf8", start) : raw.subarray(start);
  }

  get encoding(): string {
    this.#assertEntry();
    const kind = this.#text(43, 44);
    return ENCODINGS[kind] ?? this.#text(HEAD + SIZES, HEAD + SIZES + this.#size(61, 65));
  }

  get revision(): string {
    this.#assertEntry();
    return this.#text(45, 61);
  }

  get createdAt(): number {
    return this.#time(0, 13);
  }

  get updatedAt(): number {
    return this.#time(13, 26);
  }

  get expiresAt(): number | undefined {
    return this.#raw[26] === 0x2d ? undefined : this.#time(26, 42);
  }

  get policy(): Policy {
    return this.#raw[42] === 0x65 ? "evict" : "persist";
  }

  get user(): string | undefined {
    if (!this.#hasExtras) return undefined;
    const user = this.#size(65, 72);
    if (user === 0) return undefined;
    const start = this.#payloadStart;
    return this.#text(start - user, start);
  }

  get size(): number {
    return this.#raw.length - this.#payloadStart;
  }

  get #hasExtras(): boolean {
    return this.#raw[44] === 0x2b;
  }

  get #payloadStart(): number {
    if (!this.#hasExtras) return HEAD;
    return HEAD + SIZES + this.#size(61, 65) + this.#size(65, 72);
  }

  /** @throws Refusal `KV_CORRUPT` if another program has written under this name */
  #assertEntry(): void {
    const extras = this.#raw[44];
    if (this.#raw.length < HEAD || (extras !== 0x2b && extras !== 0x2d)) corrupt();
  }

  #time(from: number, to: number): number {
    this.#assertEntry();
    const time = this.#size(from, to);
    return Number.isNaN(time) ? corrupt() : time;
  }

  #size(from: number, to: number): number {
    return Number(this.#text(from, to));
  }

  #text(from: number, to: number): string {
    return this.#raw.toString("latin1", from, to);
  }
}

function corrupt(): never {
  throw new Refusal(
    "KV_CORRUPT",
    "the value that the server holds for this key was not written by this store; delete it",
  );
}
