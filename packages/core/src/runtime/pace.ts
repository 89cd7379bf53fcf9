import { monotonicNow, nextTurn } from "./platform.ts";

/** How long work may go on without a turn of the event loop. Timers and sockets wait so long at most. */
const TURN_MS = 4;
/** How many answers go by between two looks at the clock. */
const ANSWERS_PER_LOOK = 64;

/** Lets the event loop live while a store has everything at hand. */
export class Pace {
  #answered = 0;
  #lastTurn = 0;
  #turn: Promise<void> | undefined;

  /**
   * A resolved promise of what was at hand. Every now and then it resolves after a turn of the event loop: a loop over
   * answers that are always at hand would keep timers and sockets waiting for its whole length. `weight` is how many
   * entries the answer took.
   */
  answer<T>(value: T, weight = 1): Promise<T> {
    if (this.#turn !== undefined) return this.#turn.then(() => value);
    this.#answered += weight;
    if (this.#answered >= ANSWERS_PER_LOOK) {
      this.#answered = 0;
      const turn = this.breathe();
      if (turn !== undefined) return turn.then(() => value);
    }
    return Promise.resolve(value);
  }

  /** A promise of the event loop's next turn if one is due. */
  breathe(): Promise<void> | undefined {
    if (this.#turn !== undefined) return this.#turn;
    if (monotonicNow() - this.#lastTurn < TURN_MS) return undefined;
    this.#turn = new Promise((resolve) => {
      nextTurn(() => {
        this.#turn = undefined;
        this.#lastTurn = monotonicNow();
        resolve();
      });
    });
    return this.#turn;
  }
}
