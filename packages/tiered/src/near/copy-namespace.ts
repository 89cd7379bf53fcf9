import {
  after,
  type Commit,
  isPromise,
  type MaybePromise,
  type Namespace,
  namespaceOf,
  rescued,
} from "@kv/core";
import type { Fetch } from "./copies.ts";
import { COPIES, type NearTier } from "./near-tier.ts";

/**
 * A place in the near tier for copies: a namespace that no earlier shelf had, so that what lies on an abandoned one is
 * not found, even before it is cleared away.
 */
export class Shelf {
  readonly namespace: Namespace;
  /** The reads that may leave a copy, by key: the last one that began, since which the key has not changed. */
  readonly fetching: Map<string, Fetch> = new Map();
  readonly #near: NearTier;
  /** The writes under way, one after the other: an adapter need not keep calls on one key in order. */
  #writing: Promise<unknown> | undefined;
  #used = false;

  constructor(near: NearTier, path: readonly string[]) {
    this.#near = near;
    this.namespace = namespaceOf([...COPIES.path, near.nextShelf(), ...path]);
  }

  /** → whether all of it was written. Never fails. */
  write(commits: readonly Commit[]): MaybePromise<boolean> {
    return after(this.writeEach(commits), (written) => written.every(Boolean));
  }

  /** → of each commit whether it was written. Never fails. */
  writeEach(commits: readonly Commit[]): MaybePromise<readonly boolean[]> {
    this.#used = true;
    return this.#inTurn<readonly boolean[]>(
      () =>
        after(this.#near.near.commit(this.namespace, commits), (results) =>
          commits.map((_, i) => results[i]?.status === "ok"),
        ),
      () => commits.map(() => false),
    );
  }

  /** Clears it away, sometime. */
  abandon(): void {
    this.fetching.clear();
    if (!this.#used) return;
    const everything = { start: "", end: undefined, policy: undefined, descendants: false };
    void this.#inTurn<unknown>(
      () => this.#near.near.clear(this.namespace, everything),
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
