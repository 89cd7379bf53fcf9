import type { Namespace, StoredEntry } from "@kv/core";
import type { State } from "./backlog.ts";

/** What a commit has to know of keys before it can be made, kept up to date until it is. */
export interface Load {
  readonly namespaceId: string;
  readonly keys: ReadonlySet<string>;
  readonly states: Map<string, State>;
  /** What was read may no longer be so. */
  stale: boolean;
}

/** The loads under way: this process is the only one that changes anything, so whoever does tells them. */
export class Loads {
  readonly #loads = new Set<Load>();

  begin(namespace: Namespace, keys: ReadonlySet<string>): Load {
    const load: Load = { namespaceId: namespace.id, keys, states: new Map(), stale: false };
    this.#loads.add(load);
    return load;
  }

  end(load: Load): void {
    this.#loads.delete(load);
  }

  /** What was read. Whatever was changed since is known better. */
  arrived(load: Load, keys: readonly string[], entries: readonly (StoredEntry | undefined)[]): void {
    for (const [i, key] of keys.entries()) {
      if (!load.states.has(key)) load.states.set(key, { entry: entries[i], sinceWhen: "known" });
    }
  }

  changed(namespaceId: string, states: ReadonlyMap<string, State>): void {
    for (const load of this.#loads) {
      if (load.namespaceId !== namespaceId) continue;
      for (const [key, state] of states) if (load.keys.has(key)) load.states.set(key, state);
    }
  }

  /** Anything may have happened. */
  spoil(): void {
    for (const load of this.#loads) load.stale = true;
  }
}
