import type { Liveness } from "./liveness.ts";

/** Counts accepted work that is not done yet: closing waits for it, and it keeps the process alive. */
export class AcceptedWork {
  readonly #liveness: Liveness;
  #pending = 0;
  #idle: (() => void) | undefined;
  /** Operations that run functions of the caller. */
  #held = 0;
  #released: (() => void) | undefined;

  constructor(liveness: Liveness) {
    this.#liveness = liveness;
  }

  /** Begins work of the backend, which answers or is given up. */
  begin(): void {
    if (this.#pending++ === 0) this.#liveness.hold();
  }

  end(): void {
    this.#pending--;
    if (this.#pending > 0) return;
    this.#liveness.release();
    this.#idle?.();
  }

  /** Counts as work until a promise settles. */
  track<T>(promise: Promise<T>): Promise<T> {
    this.begin();
    const end = () => this.end();
    promise.then(end, end);
    return promise;
  }

  /** Holds an operation that runs a function or a schema of the caller, which may never end. */
  hold<T>(operation: Promise<T>): Promise<T> {
    this.#held++;
    const end = () => {
      this.#held--;
      if (this.#held === 0) this.#released?.();
    };
    operation.then(end, end);
    return operation;
  }

  /** Resolves when no work is left. `inTime` limits how long it waits for functions of the caller. */
  async done(inTime: (released: Promise<void>) => Promise<void>): Promise<void> {
    await this.#drained();
    if (this.#held === 0) return;
    const released = new Promise<void>((resolve) => {
      this.#released = resolve;
    });
    await inTime(released);
    await this.#drained();
  }

  async #drained(): Promise<void> {
    if (this.#pending === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }
}
