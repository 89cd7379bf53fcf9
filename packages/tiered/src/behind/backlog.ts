import type { Namespace, StoredEntry } from "@kv/core";

/** The state in which a commit left a key. */
export interface State {
  /** `undefined`: deleted. Its deadline may have come. */
  readonly entry: StoredEntry | undefined;
  /**
   * Nobody asked yet whether the far tier has the key, so that `createdAt` is the far tier's where it has. Until then it
   * is the time of the write.
   */
  readonly sinceWhen: "known" | "far";
}

/** What one commit changed. Flushed as a whole, or not at all. */
export interface Change {
  /** In the order of the commits. */
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
  /** What becomes of each key. */
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

/** What was acknowledged and the far tier does not have yet: in order for whoever flushes, by key for whoever reads. */
export class Backlog {
  readonly #spaces = new Map<string, Space>();
  #size = 0;
  #number = 0;

  /** How many states of keys wait. */
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

  /** The far tier was asked since when a key exists. */
  settle(namespaceId: string, key: string, asked: State, known: State): void {
    const latest = this.#spaces.get(namespaceId)?.latest.get(key);
    if (latest?.state === asked) latest.state = known;
  }

  /** The changes of the namespace that has waited longest: as many as there are up to `most` keys, and always one. */
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

  /** The far tier has them. → the keys of which it has the latest state, with what it was */
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
