import type { Policy, StoredEntry } from "@kv/core";

/**
 * All of an entry but key, payload and encoding, as one text. An adapter gives every write its own revision and times, so
 * an entry that one tier stores for the other carries its true ones in the place of the user metadata:
 *
 *     [deadline, revision, createdAt, updatedAt, policy, size, user]
 *
 * It is a JSON array, while user metadata is a JSON object. The deadline comes first, so that it can be read alone.
 */
export function headerOf(entry: StoredEntry): string {
  const { expiresAt, revision, createdAt, updatedAt, policy, size, user } = entry;
  return JSON.stringify([
    expiresAt ?? null,
    revision,
    createdAt,
    updatedAt,
    policy,
    size ?? null,
    user ?? null,
  ]);
}

export function isHeader(text: string | undefined): text is string {
  return text?.startsWith("[") === true;
}

/** The deadline in milliseconds since 1970; `undefined`: none. Parses only this part of the text. */
export function deadlineIn(header: string): number | undefined {
  const deadline = Number.parseInt(header.slice(1, 20), 10);
  return Number.isNaN(deadline) ? undefined : deadline;
}

type Fields = readonly [
  deadline: number | null,
  revision: string,
  createdAt: number,
  updatedAt: number,
  policy: Policy,
  size: number | null,
  user: string | null,
];

/**
 * An entry carried by another one, whose user metadata is the header. It is parsed lazily: most readers want only the
 * payload.
 */
export class CarriedEntry implements StoredEntry {
  readonly key: string;
  readonly payload: unknown;
  readonly encoding: string;
  readonly #header: string;
  #parsed: Fields | undefined;

  constructor(carrier: StoredEntry, header: string, key: string = carrier.key) {
    this.key = key;
    this.payload = carrier.payload;
    this.encoding = carrier.encoding;
    this.#header = header;
  }

  get #fields(): Fields {
    this.#parsed ??= JSON.parse(this.#header) as Fields;
    return this.#parsed;
  }

  get expiresAt(): number | undefined {
    return this.#fields[0] ?? undefined;
  }
  get revision(): string {
    return this.#fields[1];
  }
  get createdAt(): number {
    return this.#fields[2];
  }
  get updatedAt(): number {
    return this.#fields[3];
  }
  get policy(): Policy {
    return this.#fields[4];
  }
  get size(): number | undefined {
    return this.#fields[5] ?? undefined;
  }
  get user(): string | undefined {
    return this.#fields[6] ?? undefined;
  }
}
