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
 * The half-open range of stored keys that a selector names within a scope. `gt` and `lte` become bounds of the same
 * kind, because no string lies between a key and the key followed by NUL.
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

/** Which parts of the entries of a range the caller needs. */
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
