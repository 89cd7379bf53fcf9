import { ArangoError } from "../errors.ts";

/** Which transaction holds a key of a collection. Held until it ends. */
export class KeyLocks {
  readonly #owners = new Map<string, object>();
  #waiting = new Set<() => void>();

  /** @throws ArangoError 1200 where another one holds it: the first writer wins */
  lock(key: string, owner: object): void {
    const holder = this.#owners.get(key);
    if (holder === owner) return;
    if (holder !== undefined)
      throw new ArangoError("conflict", "timeout waiting to lock key - Operation timed out");
    this.#owners.set(key, owner);
  }

  isFree(key: string, owner: object): boolean {
    const holder = this.#owners.get(key);
    return holder === undefined || holder === owner;
  }

  /** Until the key is free, or until `timeout` milliseconds have passed. */
  async whenFree(key: string, owner: object, timeout: number): Promise<void> {
    const deadline = performance.now() + timeout;
    while (!this.isFree(key, owner)) {
      const left = deadline - performance.now();
      if (left <= 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, left);
        const waiting = this.#waiting;
        function done(): void {
          clearTimeout(timer);
          waiting.delete(done);
          resolve();
        }
        waiting.add(done);
      });
    }
  }

  release(keys: Iterable<string>, owner: object): void {
    let released = false;
    for (const key of keys)
      released = (this.#owners.get(key) === owner && this.#owners.delete(key)) || released;
    if (!released) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}
