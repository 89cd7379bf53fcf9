import type { CommitResult, Mutation, StoredEntry } from "@kv/core";

/** What is to be known of a key's entry in the far tier before another one is brought there. */
export interface FarState {
  /** The far tier's own. `null`: it has no entry. */
  readonly revision: string | null;
  /** Of the entry as it was acknowledged. */
  readonly createdAt: number | undefined;
}

/** Keys of which the state is remembered, the ones that were brought last. */
const MOST_KEYS = 2 ** 14;

/**
 * The states that flushes left in the far tier. Nobody else writes there, so they need not be read again; where one is
 * not so any more (its deadline came), the check of the flush says so.
 */
export class FarStates {
  readonly #spaces = new Map<string, Map<string, FarState>>();
  #size = 0;

  find(namespaceId: string, key: string): FarState | undefined {
    return this.#spaces.get(namespaceId)?.get(key);
  }

  /** They were brought: mutations of one commit, a key each, with what came of them. */
  brought(
    namespaceId: string,
    mutations: readonly Mutation[],
    { outcomes }: Extract<CommitResult, { status: "ok" }>,
    written: ReadonlyMap<string, StoredEntry | undefined>,
  ): void {
    let space = this.#spaces.get(namespaceId);
    // Last used, last forgotten.
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

  /** It is not known what became of them. */
  forget(namespaceId: string, keys: Iterable<string>): void {
    const space = this.#spaces.get(namespaceId);
    if (space === undefined) return;
    for (const key of keys) if (space.delete(key)) this.#size--;
    if (space.size === 0) this.#spaces.delete(namespaceId);
  }

  /** Anything may have happened. */
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
