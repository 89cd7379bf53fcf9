import { inThisContext, KvError, Refusal, refuseUnknownOptions } from "@kv/core";
import type { OnEvict } from "./limits/evictions.ts";

export interface MemoryOptions {
  /**
   * The most entries, over all namespaces: a positive integer. Beyond it entries are evicted: expired ones first, then the
   * least recently used. Reads by key and writes are uses, scans are not. Default: no limit.
   */
  readonly maxEntries?: number | undefined;
  /**
   * The most bytes, over all namespaces: a positive integer. It counts key, payload and user metadata, each as UTF-8: bytes
   * by their number, text by its length, a JSON value by about the length of its JSON text. The bookkeeping of an entry
   * (about 250 bytes) is not counted. Entries are evicted as for `maxEntries`; an entry that alone exceeds the limit is
   * refused (`KV_CAPACITY`). Default: no limit.
   */
  readonly maxBytes?: number | undefined;
  /**
   * Called once for each entry that a limit evicts, after the write that caused it has taken effect. The key is the stored
   * one, scope prefix included; the value is a copy (if the codec is neither `json` nor bytes, a copy of the encoded value).
   * Not called for entries that expire or are deleted. An error that it throws is reported as a process warning.
   */
  readonly onEvict?: OnEvict | undefined;
  /** Returns milliseconds since 1970, with which deadlines are compared. Default: `Date.now`. For tests. */
  readonly clock?: (() => number) | undefined;
}

const KNOWN: ReadonlySet<string> = new Set([
  "maxEntries",
  "maxBytes",
  "onEvict",
  "clock",
] satisfies (keyof MemoryOptions)[]);

/** @throws KvError `KV_INVALID_OPTION` */
export function checkOptions(options: MemoryOptions | undefined): MemoryOptions {
  try {
    refuseUnknownOptions(options, KNOWN, "memory()");
    refuseUnlessLimit("maxEntries", options?.maxEntries);
    refuseUnlessLimit("maxBytes", options?.maxBytes);
    refuseUnlessFunction("onEvict", options?.onEvict);
    refuseUnlessFunction("clock", options?.clock);
    const { maxEntries, maxBytes, onEvict, clock } = options ?? {};
    // Bound to this async context, because it is called in the middle of other callers' writes.
    return { maxEntries, maxBytes, onEvict: onEvict && inThisContext(onEvict), clock };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new KvError(error.code, { adapter: "memory", operation: "memory", message: error.message });
  }
}

function refuseUnlessLimit(name: string, limit: unknown): void {
  if (limit === undefined || (Number.isSafeInteger(limit) && Number(limit) > 0)) return;
  throw new Refusal("KV_INVALID_OPTION", `${name} must be a positive integer; leave it out for no limit`);
}

function refuseUnlessFunction(name: string, value: unknown): void {
  if (value === undefined || typeof value === "function") return;
  throw new Refusal("KV_INVALID_OPTION", `${name} must be a function`);
}
