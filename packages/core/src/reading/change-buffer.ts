import type { StoredChange } from "../contract/adapter.ts";

/** How many keys may have an undelivered change before the watcher gets a `resync` instead. */
const MAX_KEYS = 10_000;

/**
 * Changes between a writer and a slower watcher: the last one of every key, in the order in which they happened. So the
 * number of keys bounds the memory, and the last state of every key always arrives.
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
    // A set that was not delivered yet stays a set if only the deadline changed later.
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
