import { isBytes, isPromise } from "@kv/core";
import type { MemoryEntry } from "../stored/entry.ts";
import type { EvictReason } from "./recency.ts";

/** Told of an entry that had to go: its key, its value, and for which limit. */
export type OnEvict = (key: string, value: unknown, reason: EvictReason) => void;

/** Collects what was evicted while an operation runs, and tells the user's callback when it is done. */
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
    // The callback may use the store, and so get here again.
    const pending = this.#pending;
    this.#pending = [];
    for (const { entry, reason } of pending) {
      try {
        const returned: unknown = this.#onEvict(entry.key, copyOf(entry), reason);
        // An async function passes for a callback, too; its rejection must not end the process.
        if (isPromise(returned)) returned.catch(warn);
      } catch (error) {
        warn(error);
      }
    }
  }
}

/** The payload may still be in a page that was handed out, so that the callback gets a copy. */
function copyOf({ payload }: MemoryEntry): unknown {
  // Not `structuredClone` for both: of a view it would copy the whole buffer behind it.
  if (isBytes(payload)) return new Uint8Array(payload);
  return typeof payload === "object" ? structuredClone(payload) : payload;
}

interface Runtime {
  readonly process?: { emitWarning?(message: string, type: string): void };
}

function warn(error: unknown): void {
  (globalThis as Runtime).process?.emitWarning?.(`onEvict threw: ${String(error)}`, "KvMemoryWarning");
}
