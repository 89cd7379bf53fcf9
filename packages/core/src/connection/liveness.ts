import { nextTurn, type Timer, timer } from "../runtime/platform.ts";

/**
 * Keeps the process alive while the store has pending work or is being watched, whatever its adapter does. A store that
 * is merely open does not.
 */
export class Liveness {
  #holders = 0;
  /** Never fires. */
  #timer: Timer | undefined;
  #isHeld = false;
  /** Whether a look for holders is scheduled at the end of this turn. */
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
    // At the end of the turn, so that a program with one answer after another need not call the host each time.
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
