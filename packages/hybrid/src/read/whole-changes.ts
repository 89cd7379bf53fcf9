import type { ChangeListener, Namespace, StoredChange } from "@kv/core";
import { isOfFile } from "../stored/reference.ts";
import type { EntryResolver } from "./entry-resolver.ts";

/** Passes changes on with their payloads, in the order in which they came, however long reading each file takes. */
export class WholeChanges {
  readonly #resolver: EntryResolver;
  readonly #namespace: Namespace;
  readonly #listener: ChangeListener;
  /** The work in progress; `undefined`: none. */
  #last: Promise<void> | undefined;
  #ended = false;

  constructor(resolver: EntryResolver, namespace: Namespace, listener: ChangeListener) {
    this.#resolver = resolver;
    this.#namespace = namespace;
    this.#listener = listener;
  }

  receive(changes: readonly StoredChange[]): void {
    if (this.#last === undefined && !changes.some(concernsFile)) {
      this.#listener(changes);
      return;
    }
    const before = this.#last;
    const told = (async () => {
      await before;
      // One by one, so that a burst of changes holds only one value in memory at a time.
      for (const change of changes) {
        if (this.#ended) return;
        const whole = concernsFile(change) ? await this.#whole(change) : change;
        if (whole !== undefined && !this.#ended) this.#listener([whole]);
      }
    })().finally(() => {
      if (this.#last === told) this.#last = undefined;
    });
    this.#last = told;
  }

  end(): void {
    this.#ended = true;
  }

  /** `undefined`: a later change follows, which reports the entry's new state. */
  async #whole(change: ChangeOfEntry): Promise<StoredChange | undefined> {
    const { type, key, entry } = change;
    try {
      const whole = await this.#resolver.whole(this.#namespace, entry);
      return whole?.revision === entry.revision ? { type, key, entry: whole } : undefined;
    } catch {
      // The entry's present state could not be read from the index, so the watcher must read it later.
      return { type: "resync" };
    }
  }
}

type ChangeOfEntry = Extract<StoredChange, { readonly entry: unknown }>;

function concernsFile(change: StoredChange): change is ChangeOfEntry {
  return "entry" in change && isOfFile(change.entry);
}
