import type { Namespace, StoredEntry } from "@kv/core";
import type { State } from "./backlog.ts";

/** What a commit has to know of keys before it can be made, kept up to date until it is. */
export interface PendingRead {
  readonly namespaceId: string;
  readonly keys: ReadonlySet<string>;
  readonly states: Map<string, State>;
  /** What was read may no longer be so. */
  stale: boolean;
}

/** The reads in progress: this process is the only one that changes anything, so whoever does tells them. */
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

  /** What was read. Whatever was changed since is known better. */
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

  /** Anything may have happened. */
  spoil(): void {
    for (const read of this.#reads) read.stale = true;
  }
}
