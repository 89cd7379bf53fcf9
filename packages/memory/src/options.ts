import { inThisContext, KvError, Refusal, refuseUnknownOptions } from "@kv/core";
import type { OnEvict } from "./limits/evictions.ts";

export interface MemoryOptions {
  /**
   * The most entries it keeps, over all namespaces: a positive integer. Beyond it entries are evicted, those whose
   * deadline has come first and then the least recently used: reads by key and writes are uses, scans are none.
   * Default: no limit.
   */
  readonly maxEntries?: number | undefined;
  /**
   * The most bytes it keeps, over all namespaces: a positive integer. Counted are key, payload and user metadata, each
   * as UTF-8: bytes by their number, text by its length, a JSON value by about the length of its JSON text. What the
   * process needs to hold an entry (about 250 bytes of bookkeeping) is not counted. Evicted is as for `maxEntries`; an
   * entry that alone exceeds it is refused (`KV_CAPACITY`). Default: no limit.
   */
  readonly maxBytes?: number | undefined;
  /**
   * Called once for each entry that a limit evicts, after the write which caused it has taken effect. The key is the
   * backend's, scope prefix included; the value is a copy (of an entry whose codec is neither `json` nor bytes: what the
   * codec made of it). Not called for what expires or is deleted. What it throws is reported as a process warning.
   */
  readonly onEvict?: OnEvict | undefined;
  /** Milliseconds since 1970, with which deadlines are compared. Default: `Date.now`. For tests. */
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
    // It is called in the middle of other callers' writes.
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
