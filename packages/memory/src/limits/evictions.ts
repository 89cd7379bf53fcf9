import { isBytes, isPromise } from "@kv/core";
import type { MemoryEntry } from "../stored/entry.ts";
import type { EvictReason } from "./recency.ts";

/** Called with the key and the value of an evicted entry, and the limit that evicted it. */
export type OnEvict = (key: string, value: unknown, reason: EvictReason) => void;

/** Collects evicted entries while an operation runs, and calls the user's callback when it is done. */
export class Evictions {
  readonly #onEvict: OnEvict | undefined;
  #pending: { readonly entry: MemoryEntry; readonly reason: EvictReason }[] = [];

  constructor(onEvict: OnEvict | undefined) {
    this.#onEvict = onEvict;
  }

  note(entry: MemoryEntry, reason: EvictReason): void {
    if (this.#onEvict !== undefined) this.#pending.push({ entry, reason });
  }

  tell(): void {
    if (this.#onEvict === undefined || this.#pending.length === 0) return;
    // The callback may use the store, and so call this again.
    const pending = this.#pending;
    this.#pending = [];
    for (const { entry, reason } of pending) {
      try {
        const returned: unknown = this.#onEvict(entry.key, copyOf(entry), reason);
        // The callback may be an async function. Its rejection must not end the process.
        if (isPromise(returned)) returned.catch(warn);
      } catch (error) {
        warn(error);
      }
    }
  }
}

/** The callback gets a copy, because the payload may still be in a page that was returned. */
function copyOf({ payload }: MemoryEntry): unknown {
  // Not `structuredClone` for bytes: it would copy the whole buffer behind a view.
  if (isBytes(payload)) return new Uint8Array(payload);
  return typeof payload === "object" ? structuredClone(payload) : payload;
}

interface Runtime {
  readonly process?: { emitWarning?(message: string, type: string): void };
}

function warn(error: unknown): void {
  (globalThis as Runtime).process?.emitWarning?.(`onEvict threw: ${String(error)}`, "KvMemoryWarning");
}
