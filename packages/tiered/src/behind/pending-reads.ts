import type { Namespace, StoredEntry } from "@kv/core";
import type { State } from "./backlog.ts";

/** The states that a commit must read before it can be made, kept up to date until it is made. */
export interface PendingRead {
  readonly namespaceId: string;
  readonly keys: ReadonlySet<string>;
  readonly states: Map<string, State>;
  /** Any of the states may have changed. */
  stale: boolean;
}

/** The reads in progress. Only this process changes the entries, so its changes keep them up to date. */
export class PendingReads {
  readonly #reads = new Set<PendingRead>();

  begin(namespace: Namespace, keys: ReadonlySet<string>): PendingRead {
    const read: PendingRead = { namespaceId: namespace.id, keys, states: new Map(), stale: false };
    this.#reads.add(read);
    return read;
  }

  end(read: PendingRead): void {
    this.#reads.delete(read);
  }

  /** Adds the entries read. A key that has changed since keeps its newer state. */
  arrived(read: PendingRead, keys: readonly string[], entries: readonly (StoredEntry | undefined)[]): void {
    for (const [i, key] of keys.entries()) {
      if (!read.states.has(key)) read.states.set(key, { entry: entries[i], sinceWhen: "known" });
    }
  }

  changed(namespaceId: string, states: ReadonlyMap<string, State>): void {
    for (const read of this.#reads) {
      if (read.namespaceId !== namespaceId) continue;
      for (const [key, state] of states) if (read.keys.has(key)) read.states.set(key, state);
    }
  }

  /** Marks all reads as stale, because any key may have changed. */
  spoil(): void {
    for (const read of this.#reads) read.stale = true;
  }
}
