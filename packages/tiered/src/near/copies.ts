import {
  after,
  type ChangeListener,
  type Commit,
  isPromise,
  type MaybePromise,
  type StoredEntry,
} from "@kv/core";
import { CarriedEntry, deadlineIn } from "./carried-entry.ts";
import { CopyNamespace, type Fetch } from "./copy-namespace.ts";
import type { NearTier } from "./near-tier.ts";

/**
 * The copies of one namespace's entries that lie in the near tier. A copy is never older than the last change that this
 * process made or was told of:
 *
 * - What changes a key holds it (`hold`) from before the change until its copy is gone: meanwhile the key is read from
 *   the far tier, and no read leaves a copy.
 * - A read of the far tier that began before a change was made or told of leaves no copy, because what it read may be
 *   from before: the change forgets the fetch.
 * - Where anything may have happened, the copies are left behind as a whole (`renew`), at once and without waiting.
 */
export class Copies {
  readonly id: string;
  readonly #near: NearTier;
  readonly #path: readonly string[];
  #copies: CopyNamespace;
  /** How many changes of a key are under way. */
  readonly #held = new Map<string, number>();
  #suspended = 0;
  /** Whether changes by others are told of. */
  #watched = false;

  constructor(id: string, path: readonly string[], near: NearTier) {
    this.id = id;
    this.#path = path;
    this.#near = near;
    this.#copies = new CopyNamespace(near, path);
  }

  get usable(): boolean {
    return this.#watched && this.#suspended === 0;
  }

  /** Whether nothing is under way that it must be remembered for. */
  get isQuiet(): boolean {
    return this.#held.size === 0 && this.#suspended === 0;
  }

  /** From now on, every change by others is told of; or no longer. */
  set watched(watched: boolean) {
    this.#watched = watched;
    this.renew();
  }

  /** The copies of the keys. What fails is a miss: the far tier has everything. */
  find(keys: readonly string[], payloadsOnly: boolean): MaybePromise<(StoredEntry | undefined)[]> {
    // No closures where the near tier answers at once: this is what nearly every read is.
    try {
      const found = this.#near.adapter.read(this.#copies.namespace, keys);
      if (!isPromise(found)) return this.#validOf(found, payloadsOnly);
      return found.then(
        (carriers) => this.#validOf(carriers, payloadsOnly),
        () => keys.map(() => undefined),
      );
    } catch {
      return keys.map(() => undefined);
    }
  }

  #validOf(carriers: (StoredEntry | undefined)[], payloadsOnly: boolean): (StoredEntry | undefined)[] {
    for (let i = 0; i < carriers.length; i++) {
      const carrier = carriers[i];
      if (carrier !== undefined) carriers[i] = this.#valid(carrier, payloadsOnly);
    }
    return carriers;
  }

  #valid(carrier: StoredEntry, payloadsOnly: boolean): StoredEntry | undefined {
    if (this.#held.size > 0 && this.#held.has(carrier.key)) return undefined;
    if (carrier.expiresAt !== undefined) {
      // The near tier's clock need not be the far tier's.
      const deadline = deadlineIn(carrier.user ?? "");
      if (deadline !== undefined && deadline <= this.#near.farClock()) return undefined;
    }
    // The carrier differs from what it carries in all but key, payload and encoding.
    return payloadsOnly ? carrier : new CarriedEntry(carrier, carrier.user ?? "");
  }

  /** Before a read of the far tier: what is to be given to `fill`, or `undefined` where it may leave no copies. */
  begin(keys: readonly string[]): Fetch | undefined {
    if (!this.usable) return undefined;
    const fetch: Fetch = {};
    for (const key of keys) if (!this.#held.has(key)) this.#copies.fetching.set(key, fetch);
    return fetch;
  }

  /** Leaves copies of what was read. The answer need not be waited for. */
  fill(fetch: Fetch, keys: readonly string[], entries: readonly (StoredEntry | undefined)[]): void {
    const commits: Commit[] = [];
    for (const [i, key] of keys.entries()) {
      if (this.#copies.fetching.get(key) !== fetch) continue;
      this.#copies.fetching.delete(key);
      const commit = entries[i] === undefined ? undefined : this.#near.copyOf(entries[i]);
      if (commit !== undefined) commits.push(commit);
    }
    if (commits.length > 0 && this.usable) this.#copies.write(commits);
  }

  /** The read failed. */
  abandon(fetch: Fetch, keys: readonly string[]): void {
    for (const key of keys) {
      if (this.#copies.fetching.get(key) === fetch) this.#copies.fetching.delete(key);
    }
  }

  /** A change of the keys begins. */
  hold(keys: readonly string[]): void {
    for (const key of keys) {
      this.#held.set(key, (this.#held.get(key) ?? 0) + 1);
      this.#copies.fetching.delete(key);
    }
  }

  /** It has ended, or may yet take effect: ends what `hold` began, once there are no copies of the keys. Never fails. */
  release(keys: readonly string[]): MaybePromise<void> {
    return after(this.#remove(keys), () => this.#unhold(keys));
  }

  #unhold(keys: readonly string[]): void {
    for (const key of keys) {
      const left = (this.#held.get(key) ?? 1) - 1;
      if (left === 0) this.#held.delete(key);
      else this.#held.set(key, left);
    }
  }

  /** The keys are about to change, and somebody else answers for them until `replace`: no read under way leaves a copy. */
  forget(keys: Iterable<string>): void {
    const { fetching } = this.#copies;
    if (fetching.size > 0) for (const key of keys) fetching.delete(key);
  }

  /** The keys have become these entries, or none. From now on older copies are not found. */
  replace(entries: ReadonlyMap<string, StoredEntry | undefined>): MaybePromise<void> {
    if (!this.#watched || entries.size === 0) return undefined;
    const keys = [...entries.keys()];
    this.hold(keys);
    const commits = [...entries].map(([key, entry]): Commit => {
      const copy = entry === undefined || this.#suspended > 0 ? undefined : this.#near.copyOf(entry);
      return copy ?? removal([key]);
    });
    const copies = this.#copies;
    return after(copies.writeEach(commits), (written) => {
      const failed = keys.filter((_, i) => !written[i]);
      return after(failed.length === 0 ? undefined : this.#remove(failed), () => this.#unhold(keys));
    });
  }

  /** The keys have changed. From now on their copies are not found. */
  drop(keys: readonly string[]): MaybePromise<void> {
    if (!this.#watched || keys.length === 0) return undefined;
    this.hold(keys);
    return this.release(keys);
  }

  #remove(keys: readonly string[]): MaybePromise<void> {
    if (!this.#watched) return undefined;
    const copies = this.#copies;
    return after(copies.write([removal(keys)]), (written) => {
      if (!written && copies === this.#copies) this.renew();
    });
  }

  /** What others changed. */
  readonly changed: ChangeListener = (changes) => {
    if (changes.some(({ type }) => type === "resync")) this.renew();
    else
      void this.drop([...new Set(changes.flatMap((change) => (change.type === "resync" ? [] : change.key)))]);
  };

  /** No copies from now until `resume`. */
  suspend(): void {
    this.#suspended++;
    this.renew();
  }

  resume(): void {
    this.#suspended--;
    this.renew();
  }

  /** Leaves all copies behind. */
  renew(): void {
    this.#copies.abandon();
    this.#copies = new CopyNamespace(this.#near, this.#path);
  }
}

function removal(keys: readonly string[]): Commit {
  return { checks: [], mutations: keys.map((key) => ({ type: "delete", key }) as const) };
}
