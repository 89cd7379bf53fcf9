import { nextTurn, type Timer, timer } from "../runtime/platform.ts";

/**
 * Keeps the process alive while the store has something under way or is being watched, whatever its adapter does. A store
 * that is merely open keeps no process alive.
 */
export class Liveness {
  #holders = 0;
  /** Never fires. */
  #timer: Timer | undefined;
  #isHeld = false;
  /** Whether the end of this turn brings a look for holders. */
  #isLookedAt = false;
  readonly #look = (): void => {
    this.#isLookedAt = false;
    if (this.#holders > 0) return;
    this.#isHeld = false;
    this.#timer?.hold(false);
  };

  hold(): void {
    this.#holders++;
    if (this.#isHeld) return;
    this.#isHeld = true;
    if (this.#timer === undefined) this.#timer = timer(() => undefined, Number.POSITIVE_INFINITY);
    else this.#timer.hold(true);
  }

  release(): void {
    this.#holders--;
    if (this.#holders > 0 || this.#isLookedAt) return;
    // At the end of the turn: a program that has one answer after the other need not ask the host each time.
    this.#isLookedAt = true;
    nextTurn(this.#look);
  }

  /** The store was closed. */
  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#isHeld = false;
  }
}
