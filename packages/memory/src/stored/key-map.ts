/** The least number of deletions that are remembered. */
const LEAST = 64;
/** Beyond that, one deletion is remembered for this many existing keys. */
const SHARE = 16;

/**
 * A Map for keys that come and go. V8's Map keeps a deleted key in the chain of its bucket until the whole table is
 * rebuilt: a lock that is taken and released over and over, beside a million other keys, would leave hundreds of thousands
 * of them to walk through at each step. So a deleted key stays for a while, with the number of its deletion as its value,
 * and is deleted for good only after many others, unless it has been added again by then.
 */
export class KeyMap<T extends object> {
  readonly #map = new Map<string, T | number>();
  /** The keys of the last deletions. The oldest is at `#first`. */
  #deleted: string[] = [];
  #first = 0;
  /** The number of the deletion at index 0. */
  #base = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): T | undefined {
    const value = this.#map.get(key);
    return typeof value === "number" ? undefined : value;
  }

  /** The key must not exist. */
  add(key: string, value: T): void {
    this.#map.set(key, value);
    this.#size += 1;
  }

  /** The key must exist. */
  delete(key: string): void {
    this.#map.set(key, this.#base + this.#deleted.length);
    this.#deleted.push(key);
    this.#size -= 1;
    const kept = Math.max(LEAST, this.#size / SHARE);
    while (this.#deleted.length - this.#first > kept) this.#forgetOldest();
  }

  *values(): Generator<T, void, undefined> {
    for (const value of this.#map.values()) if (typeof value !== "number") yield value;
  }

  #forgetOldest(): void {
    const key = this.#deleted[this.#first] as string;
    // A key that was added again, or deleted again, has another value now.
    if (this.#map.get(key) === this.#base + this.#first) this.#map.delete(key);
    this.#first += 1;
    if (this.#first < LEAST || this.#first * 2 < this.#deleted.length) return;
    this.#deleted = this.#deleted.slice(this.#first);
    this.#base += this.#first;
    this.#first = 0;
  }
}
