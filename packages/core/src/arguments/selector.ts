import type { Bounds, Range } from "../contract/adapter.ts";
import { Refusal } from "../contract/errors.ts";
import { compareKeys, keyAfter, prefixEnd } from "../contract/key.ts";
import { shown } from "../contract/shown.ts";
import type { Bounded, Selector } from "../contract/store.ts";
import { refuseAborted } from "./signal.ts";
import { refuseUnknownOptions } from "./unknown-options.ts";

const BOUNDED = ["prefix", "gt", "gte", "lt", "lte", "signal"] as const;
const RANGED = [...BOUNDED, "reverse", "limit", "onCorrupt"] as const;
export const SELECTOR: ReadonlySet<string> = new Set(RANGED);
export const PAGE_SELECTOR: ReadonlySet<string> = new Set([...RANGED, "cursor"]);
export const CLEAR_SELECTOR: ReadonlySet<string> = new Set([...RANGED, "namespaces"]);
export const WATCH_SELECTOR: ReadonlySet<string> = new Set([...BOUNDED, "initial"]);
export const RANGE_OPTIONS: ReadonlySet<string> = new Set(["reverse", "limit", "onCorrupt", "signal"]);

/** Everything under a scope's prefix (`""`: everything). */
export function scopeBounds(prefix: string): Bounds {
  return { start: prefix, end: prefix === "" ? undefined : prefixEnd(prefix) };
}

/**
 * The half-open range of stored keys that a selector names within a scope. Beyond `gt` and up to `lte` are bounds of
 * the same kind, because no string lies between a key and the key followed by NUL.
 * @throws Refusal `KV_INVALID_OPTION`
 */
export function boundsOf(selector: Bounded, prefix: string): Bounds {
  let { start, end } = scopeBounds(prefix);
  const from = (bound: string) => {
    if (compareKeys(bound, start) > 0) start = bound;
  };
  const to = (bound: string | undefined) => {
    if (bound !== undefined && (end === undefined || compareKeys(bound, end) < 0)) end = bound;
  };
  for (const name of ["prefix", "gt", "gte", "lt", "lte"] as const) {
    const given = selector[name];
    if (given === undefined) continue;
    if (typeof given !== "string" || !given.isWellFormed()) {
      throw new Refusal("KV_INVALID_OPTION", `${name} must be a well-formed string`);
    }
    const bound = prefix + given;
    if (name === "gt") from(keyAfter(bound));
    else if (name === "gte") from(bound);
    else if (name === "lt") to(bound);
    else if (name === "lte") to(keyAfter(bound));
    else {
      from(bound);
      to(prefixEnd(bound));
    }
  }
  return { start, end };
}

/** What of the entries of a range will be looked at. */
export type Wanted = "keys" | "payloads" | "entries";

const WANTED: Readonly<Record<Wanted, Pick<Range, "keysOnly" | "payloadsOnly">>> = {
  keys: { keysOnly: true, payloadsOnly: false },
  payloads: { keysOnly: false, payloadsOnly: true },
  entries: { keysOnly: false, payloadsOnly: false },
};

/** @throws Refusal `KV_INVALID_OPTION`, `KV_ABORTED` */
export function rangeOf(
  selector: Selector | undefined,
  prefix: string,
  known: ReadonlySet<string>,
  of: string,
  wanted: Wanted,
): Range {
  refuseUnknownOptions(selector, known, of);
  refuseAborted(selector?.signal);
  const { reverse = false, limit = Number.POSITIVE_INFINITY, onCorrupt } = selector ?? {};
  if (typeof reverse !== "boolean") throw new Refusal("KV_INVALID_OPTION", "reverse must be true or false");
  if (limit !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(limit) && limit >= 0)) {
    throw new Refusal(
      "KV_INVALID_OPTION",
      `limit must be a non-negative integer or Infinity, not ${shown(limit)}`,
    );
  }
  if (
    onCorrupt !== undefined &&
    onCorrupt !== "skip" &&
    onCorrupt !== "throw" &&
    typeof onCorrupt !== "function"
  ) {
    throw new Refusal("KV_INVALID_OPTION", 'onCorrupt must be "skip", "throw" or a function');
  }
  return { ...boundsOf(selector ?? {}, prefix), reverse, limit: limit === 0 ? 0 : limit, ...WANTED[wanted] };
}

/** Whether every key lies within. */
export function isEverything({ start, end }: Bounds): boolean {
  return start === "" && end === undefined;
}

/** Whether no key can lie within. */
export function isEmpty(bounds: Bounds): boolean {
  return bounds.end !== undefined && compareKeys(bounds.start, bounds.end) >= 0;
}

interface CursorContent {
  /** The last key of the page before, without the scope's prefix. */
  readonly after: string;
  readonly reverse: boolean;
}

/** Opaque to users: URL-safe base 64 of a small JSON text. */
export function cursorAfter(after: string, reverse: boolean): string {
  const content: CursorContent = { after, reverse };
  const bytes = new TextEncoder().encode(JSON.stringify(content));
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** The rest of a range after the cursor. @throws Refusal `KV_INVALID_OPTION` */
export function resumed(range: Range, cursor: unknown, prefix: string): Range {
  const content = cursorContent(cursor);
  if (content === undefined) throw new Refusal("KV_INVALID_OPTION", "this is no cursor that page() returned");
  if (content.reverse !== range.reverse) {
    throw new Refusal(
      "KV_INVALID_OPTION",
      "the cursor belongs to a page of the other direction; keep reverse as it was",
    );
  }
  const key = prefix + content.after;
  if (range.reverse)
    return { ...range, end: range.end === undefined || compareKeys(key, range.end) < 0 ? key : range.end };
  const start = keyAfter(key);
  return { ...range, start: compareKeys(start, range.start) > 0 ? start : range.start };
}

function cursorContent(cursor: unknown): CursorContent | undefined {
  if (typeof cursor !== "string") return undefined;
  try {
    const binary = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const content: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof content !== "object" || content === null || !("after" in content) || !("reverse" in content))
      return undefined;
    const { after, reverse } = content;
    if (typeof after !== "string" || !after.isWellFormed() || typeof reverse !== "boolean") return undefined;
    return { after, reverse };
  } catch {
    return undefined;
  }
}
