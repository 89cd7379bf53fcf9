const remembered = 10_000;

/** Which keys of a collection vanished after which commit, of the latest ones. */
export class Removals {
  readonly #times = new Map<string, number>();
  /** The number of the last commit that took something out. */
  now = 0;

  note(key: string): void {
    this.#times.delete(key);
    this.#times.set(key, ++this.now);
    if (this.#times.size > remembered) this.#times.delete(this.#times.keys().next().value ?? "");
  }

  hasSince(key: string, time: number): boolean {
    return (this.#times.get(key) ?? 0) > time;
  }
}
