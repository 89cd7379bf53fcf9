import {
  after,
  type Commit,
  isPromise,
  type MaybePromise,
  type Namespace,
  namespaceOf,
  rescued,
} from "@kv/core";
import { COPIES, type NearTier } from "./near-tier.ts";

/**
 * A read of the far tier in progress, for the keys it was begun for. It may leave a copy of each key that still
 * refers to it.
 */
export type Fetch = object;

/**
 * A namespace of the near tier for copies. Its name was never used before, so that copies in an abandoned one are not
 * found, even before it is cleared.
 */
export class CopyNamespace {
  readonly namespace: Namespace;
  /** For each key, the last read that began and may leave a copy: the key has not changed since. */
  readonly fetching: Map<string, Fetch> = new Map();
  readonly #near: NearTier;
  /** The writes in progress, one after the other, because an adapter need not keep calls on one key in order. */
  #writing: Promise<unknown> | undefined;
  #used = false;

  constructor(near: NearTier, path: readonly string[]) {
    this.#near = near;
    this.namespace = namespaceOf([...COPIES.path, near.nextName(), ...path]);
  }

  /** Returns whether all commits were written. Never fails. */
  write(commits: readonly Commit[]): MaybePromise<boolean> {
    return after(this.writeEach(commits), (written) => written.every(Boolean));
  }

  /** Returns for each commit whether it was written. Never fails. */
  writeEach(commits: readonly Commit[]): MaybePromise<readonly boolean[]> {
    this.#used = true;
    return this.#inTurn<readonly boolean[]>(
      () =>
        after(this.#near.adapter.commit(this.namespace, commits), (results) =>
          commits.map((_, i) => results[i]?.status === "ok"),
        ),
      () => commits.map(() => false),
    );
  }

  /** Clears the namespace in the background. */
  abandon(): void {
    this.fetching.clear();
    if (!this.#used) return;
    const everything = { start: "", end: undefined, policy: undefined, descendants: false };
    void this.#inTurn<unknown>(
      () => this.#near.adapter.clear(this.namespace, everything),
      () => undefined,
    );
  }

  #inTurn<T>(write: () => MaybePromise<T>, failed: () => T): MaybePromise<T> {
    const run = () => rescued(write, failed);
    const done = this.#writing === undefined ? run() : this.#writing.then(run);
    if (!isPromise(done)) return done;
    const turn = done.finally(() => {
      if (this.#writing === turn) this.#writing = undefined;
    });
    this.#writing = this.#near.track(turn);
    return done;
  }
}
