import { parse, stringify } from "devalue";
import type { StoredEntry } from "../contract/adapter.ts";
import { isBytes } from "../contract/any-realm.ts";
import { Refusal } from "../contract/errors.ts";
import { messageOf } from "../contract/shown.ts";
import { checkedCopy, checkedText, copyOfJson } from "./json-value.ts";
import { assertNesting } from "./nesting.ts";
import { structuredCopy } from "./structured-value.ts";

/**
 * Turns values into payloads and back. Every entry records the `name` of the codec that wrote it, so a name is
 * permanent: a codec that reads differently needs a new one.
 */
export interface Codec {
  /** Letters, digits, `.`, `_` and `-`. */
  readonly name: string;
  /** @throws if `decode` would not return an equal value */
  encode(value: unknown): string | Uint8Array;
  decode(payload: string | Uint8Array): unknown;
}

const ORIGIN = Symbol.for("@kv/core/codec-origin");

/**
 * Marks a codec that a package exports, so that the codecs of two copies of the package count as one. A spread does not
 * copy the mark: `{ ...codec, encode }` is a codec of its own. A marked codec must itself refuse values that nest
 * deeper than 500 levels, as `structuredCopy` does.
 */
export function originated<C extends Codec>(origin: string, codec: C): C {
  return Object.defineProperty(codec, ORIGIN, { value: `${origin}/${codec.name}` });
}

function isSame(one: Codec, other: Codec): boolean {
  if (one === other) return true;
  return originOf(one) !== undefined && originOf(one) === originOf(other);
}

function originOf(codec: Codec): unknown {
  return (codec as { readonly [ORIGIN]?: unknown })[ORIGIN];
}

/** The default. Strict: a value that would not come back deeply equal is refused, naming the path. */
export const json: Codec = originated("@kv/core", {
  name: "json",
  encode: checkedText,
  decode: (payload) => JSON.parse(text(payload)),
});

/** Takes JSON and also: `undefined`, `NaN`, `-0`, Date, Map, Set, BigInt, RegExp, URL, typed arrays, cycles and shared references. */
export const structured: Codec = originated("@kv/core", {
  name: "structured",
  encode: (value) => stringify(structuredCopy(value, "structured")),
  decode: (payload) => parse(text(payload)),
});

/** The encoding of a value that is a `Uint8Array`, under every codec. */
const BYTES = "bytes";
const NAME = /^[\w.-]{1,64}$/;

/** The codecs of one store: the one that writes, and all that it reads with. */
export class Codecs {
  readonly #codec: Codec;
  readonly #readable: ReadonlyMap<string, Codec>;
  /** Whether the adapter keeps JSON values as they are. */
  readonly #keepsValues: boolean;
  /** Whether this store's numbers are stored in a form that the adapter itself can add to. */
  readonly countsNatively: boolean;

  /** @throws Refusal `KV_INVALID_OPTION` */
  constructor(codec: Codec, alsoReadable: readonly Codec[], form: "text" | "value") {
    const readable = new Map<string, Codec>([json, structured].map((known) => [known.name, known]));
    for (const each of [...alsoReadable, codec]) {
      if (typeof each?.name !== "string" || !NAME.test(each.name) || each.name === BYTES) {
        throw new Refusal(
          "KV_INVALID_OPTION",
          `a codec needs a name of letters, digits, ".", "_" and "-", other than "bytes"`,
        );
      }
      if (typeof each.encode !== "function" || typeof each.decode !== "function") {
        throw new Refusal("KV_INVALID_OPTION", `the codec ${each.name} needs encode and decode`);
      }
      const other = readable.get(each.name);
      if (other !== undefined && !isSame(other, each)) {
        throw new Refusal(
          "KV_INVALID_OPTION",
          `two codecs are named ${each.name}; give each a name of its own`,
        );
      }
      readable.set(each.name, other ?? each);
    }
    // This copy's own `json` rather than another copy's, because it has a faster path.
    this.#codec = readable.get(codec.name) ?? codec;
    this.#readable = readable;
    this.#keepsValues = form === "value";
    this.countsNatively = this.#codec === json;
  }

  encodingOf(value: unknown): string {
    return isBytes(value) ? BYTES : this.#codec.name;
  }

  /** The payload to store for a value, which shares nothing with it. @throws Refusal `KV_INVALID_VALUE` */
  payloadOf(value: unknown): unknown {
    if (isBytes(value)) return copyOfBytes(value);
    if (this.#codec === json) return this.#keepsValues ? checkedCopy(value) : checkedText(value);
    if (value === undefined)
      throw new Refusal(
        "KV_INVALID_VALUE",
        "undefined cannot be stored, because an absent key reads as undefined; store null, or delete the key",
      );
    try {
      if (originOf(this.#codec) === undefined) assertNesting(value);
      const payload = this.#codec.encode(value);
      // A lone surrogate has no UTF-8 form, so drivers would store a different text.
      if (typeof payload === "string" && payload.isWellFormed()) return payload;
      // A codec may return a part of a buffer that it goes on using.
      if (isBytes(payload)) return new Uint8Array(payload);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      throw new Refusal(
        "KV_INVALID_VALUE",
        `the ${this.#codec.name} codec refused the value: ${messageOf(error)}`,
        { cause: error },
      );
    }
    throw new Refusal(
      "KV_INVALID_VALUE",
      `the ${this.#codec.name} codec returned neither a well-formed string nor a Uint8Array`,
    );
  }

  /** The stored number; `undefined` for any other value, and for one that cannot be decoded. */
  decodeNumber(entry: Pick<StoredEntry, "payload" | "encoding">): number | undefined {
    try {
      const value = this.decode(entry);
      return typeof value === "number" ? value : undefined;
    } catch {
      return undefined;
    }
  }

  /** @throws Refusal `KV_CORRUPT` */
  decode(entry: Pick<StoredEntry, "payload" | "encoding">): unknown {
    const { payload, encoding } = entry;
    // A middleware that cannot read an entry leaves the reason as its payload, so that one entry never fails its page.
    if (isReason(payload)) throw payload;
    if (encoding === "json" && this.#keepsValues) return copyOfJson(payload);
    try {
      if (encoding === "json") return JSON.parse(text(payload));
      if (encoding === BYTES) return bytes(payload);
      const codec = this.#readable.get(encoding);
      if (codec !== undefined && typeof payload === "string") return codec.decode(payload);
      // The decoded value may be a view of the bytes.
      if (codec !== undefined && isBytes(payload)) return codec.decode(bytes(payload));
    } catch (error) {
      throw new Refusal(
        "KV_CORRUPT",
        `the stored payload is not valid ${encoding}: ${messageOf(error)}; delete or rewrite the entry`,
        {
          cause: error,
        },
      );
    }
    throw new Refusal(
      "KV_CORRUPT",
      `the entry was written by the codec ${JSON.stringify(encoding)}, which this store does not know; list it in the option codecs`,
    );
  }
}

function text(payload: unknown): string {
  if (typeof payload === "string") return payload;
  throw new TypeError("text was expected");
}

/** Payloads are almost always text or plain objects, so one comparison settles the ordinary case. */
function isReason(payload: unknown): payload is Refusal {
  return (
    typeof payload === "object" &&
    payload !== null &&
    Object.getPrototypeOf(payload) !== Object.prototype &&
    payload instanceof Refusal
  );
}

/** Copied, because the adapter may keep what it returned, and drivers return subclasses over memory of their own. */
function bytes(payload: unknown): Uint8Array {
  if (!isBytes(payload)) throw new TypeError("bytes were expected");
  return new Uint8Array(payload);
}

/** The bytes of an `ArrayBuffer` that was transferred to a worker cannot be read. */
function copyOfBytes(value: Uint8Array): Uint8Array {
  try {
    return new Uint8Array(value);
  } catch (error) {
    throw new Refusal(
      "KV_INVALID_VALUE",
      `the bytes cannot be read (${messageOf(error)}): store them before their buffer is transferred or resized`,
      { cause: error },
    );
  }
}
