import { compareKeys, type Selector } from "@kv/core";

interface ModelEntry {
  readonly value: unknown;
  /** Every write of the model takes the next number, so it differs whenever a revision must. */
  readonly revision: number;
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  readonly evictable: boolean;
}

/** The options of a write. */
export interface ModelOptions {
  /** In seconds. */
  readonly ttl?: number;
  readonly keepTtl?: boolean;
  readonly evictable?: boolean;
}

/** The contract in its plainest form: a Map of live entries, and a clock that moves only in `pass`. */
export class Model {
  readonly #entries = new Map<string, ModelEntry>();
  #now = 0;
  #revision = 0;

  get(key: string): ModelEntry | undefined {
    const entry = this.#entries.get(key);
    return entry?.expiresAt !== undefined && entry.expiresAt <= this.#now ? undefined : entry;
  }

  set(key: string, value: unknown, { ttl, keepTtl, evictable = false }: ModelOptions = {}): void {
    const old = this.get(key);
    this.#revision += 1;
    this.#entries.set(key, {
      value,
      revision: this.#revision,
      createdAt: old?.createdAt ?? this.#now,
      expiresAt: keepTtl === true ? old?.expiresAt : ttl === undefined ? undefined : this.#now + ttl,
      evictable,
    });
  }

  /** Returns the sum, or `undefined` if the entry is not a number or the sum is not exact. */
  increment(key: string, by: number): number | undefined {
    const old = this.get(key);
    if (old !== undefined && typeof old.value !== "number") return undefined;
    const before = old === undefined ? 0 : Number(old.value);
    // Adding 0 turns -0 into 0. Beyond 2^53, an integer cannot be distinguished from its neighbours.
    const sum = before + by + 0;
    if (Number.isInteger(before) && !Number.isSafeInteger(sum)) return undefined;
    this.set(key, sum, { keepTtl: true, evictable: old?.evictable ?? false });
    return sum;
  }

  /** Returns whether the key existed. */
  touch(key: string, change: { readonly ttl: number | null } | { readonly evictable: boolean }): boolean {
    const old = this.get(key);
    if (old === undefined) return false;
    const changed =
      "ttl" in change ? { expiresAt: change.ttl === null ? undefined : this.#now + change.ttl } : change;
    this.#entries.set(key, { ...old, ...changed });
    return true;
  }

  delete(key: string): boolean {
    const existed = this.get(key) !== undefined;
    this.#entries.delete(key);
    return existed;
  }

  /** The live keys that a selector names, in order. */
  keys({ prefix = "", gte, lt, reverse, limit }: Selector = {}): string[] {
    const live = [...this.#entries.keys()].filter(
      (key) =>
        this.get(key) !== undefined &&
        key.startsWith(prefix) &&
        (gte === undefined || compareKeys(key, gte) >= 0) &&
        (lt === undefined || compareKeys(key, lt) < 0),
    );
    live.sort(compareKeys);
    return (reverse === true ? live.reverse() : live).slice(0, limit);
  }

  pass(seconds: number): void {
    this.#now += seconds;
  }
}
