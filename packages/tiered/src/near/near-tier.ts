import {
  type Adapter,
  type Commit,
  type MaybePromise,
  type Namespace,
  namespaceOf,
  type StoredEntry,
} from "@kv/core";
import { headerOf } from "./carried-entry.ts";

/** The namespace of everything that this package keeps in a near tier. */
export const OWN: Namespace = namespaceOf(["@kv/tiered"]);
/** The copies in it. */
export const COPIES: Namespace = namespaceOf([...OWN.path, "copies"]);

/** The near tier, and what all copies in it have in common. */
export class NearTier {
  readonly adapter: Adapter;
  readonly farClock: () => number;
  /** How long a copy lasts at most, in milliseconds. */
  readonly #ttl: number;
  /** Keeps adapters over the same near tier from finding each other's copies, which may be of another far tier. */
  readonly #own: string = crypto.randomUUID().slice(-12);
  #names = 0;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(adapter: Adapter, farClock: () => number, ttl: number | undefined) {
    this.adapter = adapter;
    this.farClock = farClock;
    this.#ttl = ttl ?? Number.POSITIVE_INFINITY;
  }

  /** A segment for the name of a namespace of copies, never returned before. */
  nextName(): string {
    return `${this.#own}-${++this.#names}`;
  }

  /** Removes the copies that an earlier process left: the entries may have changed since. */
  empty(): MaybePromise<unknown> {
    return this.adapter.clear(COPIES, { start: "", end: undefined, policy: undefined, descendants: true });
  }

  /** The commit that writes a copy; `undefined`: the entry has expired, or cannot be read. */
  copyOf(entry: StoredEntry): Commit | undefined {
    try {
      const { key, payload, encoding, expiresAt } = entry;
      const left = expiresAt === undefined ? Number.POSITIVE_INFINITY : expiresAt - this.farClock();
      if (left <= 0) return undefined;
      const lasts = Math.min(left, this.#ttl);
      const deadline = lasts === Number.POSITIVE_INFINITY ? undefined : this.adapter.clock() + lasts;
      const user = headerOf(entry);
      // "evict": a copy may go at any time.
      const set = {
        type: "set",
        key,
        payload,
        encoding,
        expiresAt: deadline,
        policy: "evict",
        user,
      } as const;
      return { checks: [], mutations: [set] };
    } catch {
      // A corrupt entry throws when its fields are read.
      return undefined;
    }
  }

  /** Makes closing wait for the promise. */
  track<T>(promise: Promise<T>): Promise<T> {
    this.#underWay.add(promise);
    const end = () => void this.#underWay.delete(promise);
    promise.then(end, end);
    return promise;
  }

  async idle(): Promise<void> {
    await Promise.allSettled([...this.#underWay]);
  }
}
