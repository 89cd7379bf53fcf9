import type { ChangeListener, Namespace, StoredChange } from "@kv/core";
import { isOfFile } from "../stored/reference.ts";
import type { EntryResolver } from "./entry-resolver.ts";

/** Changes with their payloads, handed on in the order in which they came, however long each file takes to be read. */
export class WholeChanges {
  readonly #resolver: EntryResolver;
  readonly #namespace: Namespace;
  readonly #listener: ChangeListener;
  /** What is under way; `undefined`: nothing. */
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
      // One by one: what a burst of changes holds at a time is a value, and not all of them.
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

  /** `undefined`: it was followed by another one, which tells what became of the entry. */
  async #whole(change: ChangeOfEntry): Promise<StoredChange | undefined> {
    const { type, key, entry } = change;
    try {
      const whole = await this.#resolver.whole(this.#namespace, entry);
      return whole?.revision === entry.revision ? { type, key, entry: whole } : undefined;
    } catch {
      // The index could not be asked what the entry is by now: whoever watches has to, later.
      return { type: "resync" };
    }
  }
}

type ChangeOfEntry = Extract<StoredChange, { readonly entry: unknown }>;

function concernsFile(change: StoredChange): change is ChangeOfEntry {
  return "entry" in change && isOfFile(change.entry);
}
