import { ArangoError } from "../errors.ts";

interface Waiting {
  readonly owner: object;
  readonly exclusive: boolean;
  readonly grant: () => void;
}

/** Who may write to a collection: many writers, or one that asked for it exclusively. First come, first served. */
export class AccessLock {
  readonly #writers = new Set<object>();
  #exclusive: object | undefined;
  #queue: Waiting[] = [];

  get isExclusivelyHeld(): boolean {
    return this.#exclusive !== undefined;
  }

  /** @throws ArangoError 18 after `timeout` milliseconds of waiting */
  async acquire(owner: object, exclusive: boolean, timeout: number): Promise<void> {
    if (this.#queue.length === 0 && this.#isFree(owner, exclusive)) return this.#take(owner, exclusive);
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting: Waiting = { owner, exclusive, grant: resolve };
    this.#queue.push(waiting);
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<"expired">((done) => {
      timer = setTimeout(done, timeout, "expired");
      timer.unref();
    });
    const outcome = await Promise.race([promise, expired]);
    clearTimeout(timer);
    if (outcome !== "expired" || !this.#queue.includes(waiting)) return;
    this.#queue = this.#queue.filter((other) => other !== waiting);
    this.#serve();
    throw new ArangoError("lockTimeout", "timeout waiting to lock collection");
  }

  release(owner: object): void {
    this.#writers.delete(owner);
    if (this.#exclusive === owner) this.#exclusive = undefined;
    this.#serve();
  }

  /** What one owner holds becomes another's. */
  handOver(from: object, to: object): void {
    if (this.#writers.delete(from)) this.#writers.add(to);
    if (this.#exclusive === from) this.#exclusive = to;
  }

  #isFree(owner: object, exclusive: boolean): boolean {
    if (this.#exclusive !== undefined) return this.#exclusive === owner;
    return !exclusive || this.#writers.size === 0 || (this.#writers.size === 1 && this.#writers.has(owner));
  }

  #take(owner: object, exclusive: boolean): void {
    if (exclusive) this.#exclusive = owner;
    else this.#writers.add(owner);
  }

  #serve(): void {
    for (let next = this.#queue[0]; next && this.#isFree(next.owner, next.exclusive); next = this.#queue[0]) {
      this.#queue.shift();
      this.#take(next.owner, next.exclusive);
      next.grant();
    }
  }
}
