import { timer } from "@kv/core";
import { ArangoFailure } from "../errors.ts";

/**
 * Limits the requests in progress at once. They wait here and not inside arangojs, which would still send an abandoned request
 * when its turn comes.
 */
export class RequestSlots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** @throws ArangoFailure "not sent" if no slot is free within `timeout` milliseconds */
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
  const message = "the server does not answer earlier requests, so this one was not sent";
  return new ArangoFailure(message, "not sent", { code: "ETIMEDOUT" });
}
