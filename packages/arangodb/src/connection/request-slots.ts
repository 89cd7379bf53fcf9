import { timer } from "@kv/core";
import { ArangoFailure } from "../errors.ts";

/**
 * How many requests are under way at once. They wait here and not inside arangojs, where a request that was given up would
 * still be sent when its turn comes.
 */
export class RequestSlots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** @throws ArangoFailure "not sent", where none is free within so many milliseconds */
  acquire(timeout: number): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free--;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        end.cancel();
        resolve();
      };
      const end = timer(() => {
        this.#waiting.delete(enter);
        reject(unsent());
      }, timeout);
      this.#waiting.add(enter);
    });
  }

  release(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}

export function unsent(): ArangoFailure {
  const message = "the server does not answer the requests before this one, which was not sent";
  return new ArangoFailure(message, "not sent", { code: "ETIMEDOUT" });
}
