import type { CommitResult, Mutation, StoredEntry } from "@kv/core";

/** What a flush must know about a key's entry in the far tier before it writes another one. */
export interface FarState {
  /** The far tier's own revision. `null`: it has no entry. */
  readonly revision: string | null;
  /** The `createdAt` of the entry as it was acknowledged. */
  readonly createdAt: number | undefined;
}

/** The number of keys whose state is remembered: those flushed last. */
const MOST_KEYS = 2 ** 14;

/**
 * The states that flushes left in the far tier. There is no other writer, so they need not be read again. If one has
 * changed (its entry expired), the check of the next flush fails.
 */
export class FarStates {
  readonly #spaces = new Map<string, Map<string, FarState>>();
  #size = 0;

  find(namespaceId: string, key: string): FarState | undefined {
    return this.#spaces.get(namespaceId)?.get(key);
  }

  /** Records one commit that was flushed: its mutations, one for each key, and their outcomes. */
  brought(
    namespaceId: string,
    mutations: readonly Mutation[],
    { outcomes }: Extract<CommitResult, { status: "ok" }>,
    written: ReadonlyMap<string, StoredEntry | undefined>,
  ): void {
    let space = this.#spaces.get(namespaceId);
    // Moved to the end: the namespace used last is forgotten last.
    if (space === undefined) space = new Map();
    else this.#spaces.delete(namespaceId);
    this.#spaces.set(namespaceId, space);
    for (const [i, { key }] of mutations.entries()) {
      if (space.delete(key)) this.#size--;
      const entry = written.get(key);
      const revision = entry === undefined ? null : outcomes[i]?.revision;
      if (revision === undefined) continue;
      space.set(key, { revision, createdAt: entry?.createdAt });
      this.#size++;
    }
    this.#makeRoom();
  }

  /** Forgets keys whose state is unknown. */
  forget(namespaceId: string, keys: Iterable<string>): void {
    const space = this.#spaces.get(namespaceId);
    if (space === undefined) return;
    for (const key of keys) if (space.delete(key)) this.#size--;
    if (space.size === 0) this.#spaces.delete(namespaceId);
  }

  /** Forgets everything: any key may have changed. */
  clear(): void {
    this.#spaces.clear();
    this.#size = 0;
  }

  #makeRoom(): void {
    for (const [id, space] of this.#spaces) {
      for (const key of space.keys()) {
        if (this.#size <= MOST_KEYS) return;
        space.delete(key);
        this.#size--;
      }
      this.#spaces.delete(id);
    }
  }
}
