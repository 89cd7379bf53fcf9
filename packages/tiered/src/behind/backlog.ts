import type { Namespace, StoredEntry } from "@kv/core";

/** The state in which a commit left a key. */
export interface State {
  /** `undefined`: deleted. It may have expired. */
  readonly entry: StoredEntry | undefined;
  /**
   * `"far"`: the far tier has not been asked whether the key exists. If it does, its `createdAt` replaces the entry's, which
   * is the time of the write. `"known"`: `createdAt` is final.
   */
  readonly sinceWhen: "known" | "far";
}

/** The changes of one commit, flushed as a whole or not at all. */
export interface Change {
  /** Ascending in the order of the commits. */
  readonly number: number;
  readonly namespace: Namespace;
  readonly states: ReadonlyMap<string, State>;
  /** When it was acknowledged, by `monotonicNow()`. */
  readonly at: number;
}

/** The oldest changes of a namespace, to be flushed in one commit. */
export interface Flush {
  readonly namespace: Namespace;
  readonly changes: readonly Change[];
  /** The state of each key after the changes. */
  readonly states: ReadonlyMap<string, State>;
}

interface Latest {
  state: State;
  readonly number: number;
}

interface Space {
  readonly namespace: Namespace;
  /** Oldest first. */
  changes: Change[];
  readonly latest: Map<string, Latest>;
}

/** The acknowledged changes that the far tier does not have yet: in order for the flusher, by key for reads. */
export class Backlog {
  readonly #spaces = new Map<string, Space>();
  #size = 0;
  #number = 0;

  /** The number of key states waiting to be flushed. */
  get size(): number {
    return this.#size;
  }

  /** The number of the change that was added last. */
  get number(): number {
    return this.#number;
  }

  /** The oldest change. */
  get oldest(): Change | undefined {
    let oldest: Change | undefined;
    for (const { changes } of this.#spaces.values()) {
      const [first] = changes;
      if (first !== undefined && (oldest === undefined || first.number < oldest.number)) oldest = first;
    }
    return oldest;
  }

  add(change: Change): void {
    const { namespace, number, states } = change;
    let space = this.#spaces.get(namespace.id);
    if (space === undefined) {
      space = { namespace, changes: [], latest: new Map() };
      this.#spaces.set(namespace.id, space);
    }
    space.changes.push(change);
    for (const [key, state] of states) space.latest.set(key, { state, number });
    this.#size += states.size;
    this.#number = number;
  }

  find(namespaceId: string, key: string): State | undefined {
    return this.#spaces.get(namespaceId)?.latest.get(key)?.state;
  }

  /** Replaces a state by one with the final `createdAt`, unless the key has changed since the far tier was asked. */
  settle(namespaceId: string, key: string, asked: State, known: State): void {
    const latest = this.#spaces.get(namespaceId)?.latest.get(key);
    if (latest?.state === asked) latest.state = known;
  }

  /** The changes of the namespace that has waited longest: as many as fit into `most` keys, and at least one. */
  next(most: number): Flush | undefined {
    const oldest = this.oldest;
    const space = oldest && this.#spaces.get(oldest.namespace.id);
    if (space === undefined) return undefined;
    const states = new Map<string, State>();
    const changes: Change[] = [];
    for (const change of space.changes) {
      if (changes.length > 0 && states.size + change.states.size > most) break;
      changes.push(change);
      for (const [key, state] of change.states) states.set(key, state);
    }
    return { namespace: space.namespace, changes, states };
  }

  /** Removes a flush that is in the far tier. Returns the keys whose latest state the far tier now has. */
  flushed({ namespace, changes, states }: Flush): string[] {
    const space = this.#spaces.get(namespace.id);
    if (space === undefined) return [];
    space.changes = space.changes.slice(changes.length);
    for (const change of changes) this.#size -= change.states.size;
    const last = changes.at(-1)?.number ?? 0;
    const keys = [...states.keys()].filter((key) => (space.latest.get(key)?.number ?? 0) <= last);
    for (const key of keys) space.latest.delete(key);
    if (space.changes.length === 0) this.#spaces.delete(namespace.id);
    return keys;
  }
}
