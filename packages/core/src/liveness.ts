import { type Timer, timer } from "./platform.ts";

/**
 * Keeps the process alive while the store has something under way or is being watched, whatever its adapter does. A store
 * that is merely open keeps no process alive.
 */
export class Liveness {
  #holders = 0;
  /** Never fires. */
  #timer: Timer | undefined;

  hold(): void {
    this.#holders++;
    if (this.#holders > 1) return;
    if (this.#timer === undefined) this.#timer = timer(() => undefined, Number.POSITIVE_INFINITY);
    else this.#timer.hold(true);
  }

  release(): void {
    this.#holders--;
    if (this.#holders === 0) this.#timer?.hold(false);
  }

  /** The store was closed. */
  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
