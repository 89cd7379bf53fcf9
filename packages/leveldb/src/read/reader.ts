import type { CorruptEntry, Namespace, StoredEntry } from "@kv/core";
import type { Driver } from "../connection/driver.ts";
import type { LeveldbEntry } from "../stored/entry.ts";
import type { Layout } from "../stored/layout.ts";

/** Reads entries by key, on this thread: the driver's threads take longer, for one key as for a thousand. */
export class Reader {
  readonly #driver: Driver;
  readonly #layout: Layout;
  readonly #clock: () => number;

  constructor(driver: Driver, layout: Layout, clock: () => number) {
    this.#driver = driver;
    this.#layout = layout;
    this.#clock = clock;
  }

  read(namespace: Namespace, keys: readonly string[]): (StoredEntry | undefined)[] {
    const space = this.#layout.space(namespace);
    const [key] = keys;
    if (keys.length === 1 && key !== undefined) return [this.#live(this.#driver.entry(key, space + key))];
    // A write under way takes effect on another thread, perhaps between two of these reads: so they share a snapshot.
    const snapshot = this.#driver.isWriting ? this.#driver.snapshot() : undefined;
    const from = snapshot ?? this.#driver;
    try {
      return keys.map((each) => this.#live(from.entry(each, space + each)));
    } finally {
      // No need to wait: it releases everything within the call.
      void snapshot?.close();
    }
  }

  #live(entry: LeveldbEntry | CorruptEntry | undefined): StoredEntry | undefined {
    if (entry === undefined) return undefined;
    const { expiresAt } = entry;
    return expiresAt !== undefined && expiresAt <= this.#clock() ? undefined : entry;
  }
}
