import { Refusal } from "../contract/errors.ts";
import { type Limit, lateness, lateWrite, Timeouts } from "../runtime/timeouts.ts";

/**
 * How long the calls of one store may take, each from the call on, however many wait before it. A call that waits
 * longer than that is never begun. For a call that takes several answers of the backend the time starts again with each
 * of them.
 */
export class CallLimits {
  readonly #timeouts: Timeouts;
  /** The limit of the call being made now, if it had to wait. The first wait for the backend takes it. */
  #given: Limit | undefined;

  /** @param ms milliseconds, or `Infinity` */
  constructor(ms: number) {
    this.#timeouts = new Timeouts(ms);
  }

  get ms(): number {
    return this.#timeouts.ms;
  }

  /** Whether the call being made has waited already. */
  get isGiven(): boolean {
    return this.#given !== undefined;
  }

  /** The limit of the call being made: what is left of it, or a new one. */
  begin(expire: () => void): Limit {
    const given = this.#take();
    if (given === undefined) return this.#timeouts.begin(expire);
    given.expire = expire;
    return given;
  }

  /** Whether a call that has waited has too little time left to be begun. */
  isSpent(limit: Limit): boolean {
    return this.#timeouts.isSpent(limit);
  }

  end(limit: Limit): void {
    this.#timeouts.end(limit);
  }

  #take(): Limit | undefined {
    const given = this.#given;
    this.#given = undefined;
    return given;
  }

  /** Makes a call that has waited, in what is left of its time. @throws Refusal if too little is left */
  within<T>(limit: Limit, run: () => T): T {
    if (this.isSpent(limit)) {
      this.end(limit);
      throw this.notBegun();
    }
    limit.expire = nothing;
    const before = this.#given;
    this.#given = limit;
    try {
      return run();
    } finally {
      if (this.#given === limit) this.#timeouts.end(limit);
      this.#given = before;
    }
  }

  /** Makes a call once `waited` has resolved. Rejects without making it if that takes all of its time. */
  after<T>(waited: Promise<unknown>, run: () => T | Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const limit = this.begin(() => reject(this.notBegun()));
      waited
        .then(() => {
          resolve(this.within(limit, run));
        })
        .catch(reject);
    });
  }

  /** The backend's answer, or a rejection with `KV_TIMEOUT`. */
  guard<T>(answer: Promise<T>, what = "answering", limit: Limit | undefined = this.#take()): Promise<T> {
    return this.#timeouts.guard(answer, () => lateness(what, this.ms), limit);
  }

  /** The same for a call that writes, whose outcome is unknown when it is given up. */
  guardWrite<T>(answer: Promise<T>, limit: Limit | undefined = this.#take()): Promise<T> {
    return this.#timeouts.guard(answer, () => this.unknownWrite(), limit);
  }

  unknownWrite(): Refusal {
    return lateWrite("writing", this.ms);
  }

  lateRead(): Refusal {
    return lateness("answering", this.ms);
  }

  notBegun(): Refusal {
    const message = `the call waited longer than ${this.ms} ms for earlier calls and was not begun; nothing was written, and it may be repeated`;
    return new Refusal("KV_TIMEOUT", message, { retryable: true });
  }
}

function nothing(): void {}
