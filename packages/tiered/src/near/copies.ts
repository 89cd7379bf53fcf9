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
 * The copies of one namespace's entries in the near tier. A copy is never older than the last change that this process
 * made or was notified of:
 *
 * - A change holds its keys (`hold`) from before it begins until their copies are gone. Meanwhile the keys are read from
 *   the far tier, and no read leaves a copy.
 * - A read of the far tier that began before a change was made or reported leaves no copy, because it may have read the
 *   old entry: the change forgets the fetch.
 * - Where any key may have changed, all copies are abandoned at once (`renew`), without waiting.
 */
export class Copies {
  readonly id: string;
  readonly #near: NearTier;
  readonly #path: readonly string[];
  #copies: CopyNamespace;
  /** How many changes of each key are in progress. */
  readonly #held = new Map<string, number>();
  #suspended = 0;
  /** Whether changes by other writers are reported. */
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

  /** Whether nothing in progress needs this object, so that it may be dropped. */
  get isQuiet(): boolean {
    return this.#held.size === 0 && this.#suspended === 0;
  }

  /** Whether, from now on, every change by another writer is reported. */
  set watched(watched: boolean) {
    this.#watched = watched;
    this.renew();
  }

  /** The copies of the keys. A failure counts as a miss: the far tier has everything. */
  find(keys: readonly string[], payloadsOnly: boolean): MaybePromise<(StoredEntry | undefined)[]> {
    // No closures where the near tier answers at once: nearly every read takes this path.
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
      // The clocks of the two tiers may differ.
      const deadline = deadlineIn(carrier.user ?? "");
      if (deadline !== undefined && deadline <= this.#near.farClock()) return undefined;
    }
    // Only key, payload and encoding are the same in the carrier and the entry that it carries.
    return payloadsOnly ? carrier : new CarriedEntry(carrier, carrier.user ?? "");
  }

  /**
   * Called before a read of the far tier. Returns the argument for `fill`, or `undefined` where the read may leave no
   * copies.
   */
  begin(keys: readonly string[]): Fetch | undefined {
    if (!this.usable) return undefined;
    const fetch: Fetch = {};
    for (const key of keys) if (!this.#held.has(key)) this.#copies.fetching.set(key, fetch);
    return fetch;
  }

  /** Writes copies of the entries read. The caller need not wait for it. */
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

  /** Called when a change of the keys begins. */
  hold(keys: readonly string[]): void {
    for (const key of keys) {
      this.#held.set(key, (this.#held.get(key) ?? 0) + 1);
      this.#copies.fetching.delete(key);
    }
  }

  /**
   * Called when the change has ended, or was given up and may still take effect: ends `hold` once the copies of the keys
   * are gone. Never fails.
   */
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

  /** The keys are about to change, and the backlog answers for them until `replace`: no read in progress leaves a copy. */
  forget(keys: Iterable<string>): void {
    const { fetching } = this.#copies;
    if (fetching.size > 0) for (const key of keys) fetching.delete(key);
  }

  /** The keys now have these entries (`undefined`: none). From now on older copies are not found. */
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

  /** Receives the changes of other writers. */
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

  /** Abandons all copies. */
  renew(): void {
    this.#copies.abandon();
    this.#copies = new CopyNamespace(this.#near, this.#path);
  }
}

function removal(keys: readonly string[]): Commit {
  return { checks: [], mutations: keys.map((key) => ({ type: "delete", key }) as const) };
}
