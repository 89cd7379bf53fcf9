import type { StoredChange } from "../contract/adapter.ts";

/** How many keys may have an undelivered change before a watcher is told to read everything again. */
const MAX_KEYS = 10_000;

/**
 * Changes between a writer and a watcher that may be slower: the last one of every key, in the order of their
 * happening. So memory is bounded by the keys, and the last state of every key always arrives.
 */
export class ChangeBuffer {
  readonly #changes = new Map<string, StoredChange>();
  #resync = false;

  add(change: StoredChange): void {
    if (change.type === "resync") {
      this.#overrun();
      return;
    }
    const { key } = change;
    const earlier = this.#changes.get(key);
    if (earlier !== undefined) this.#changes.delete(key);
    else if (this.#changes.size >= MAX_KEYS) this.#overrun();
    // A value that was not delivered yet is still news when only its deadline was touched later.
    const unseen = change.type === "touch" && earlier?.type === "set";
    this.#changes.set(key, unseen ? { ...change, type: "set" } : change);
  }

  #overrun(): void {
    this.#changes.clear();
    this.#resync = true;
  }

  take(): StoredChange | undefined {
    if (this.#resync) {
      this.#resync = false;
      return { type: "resync" };
    }
    const [first] = this.#changes;
    if (first === undefined) return undefined;
    this.#changes.delete(first[0]);
    return first[1];
  }
}
