import { monotonicNow, nextTurn } from "./platform.ts";

/** How long work may go on without a turn of the event loop, and so how long timers and sockets wait at most. */
const TURN_MS = 4;
/** How many answers are given between two readings of the clock. */
const ANSWERS_PER_LOOK = 64;

/** Gives the event loop its turns while a store answers synchronously. */
export class Pace {
  #answered = 0;
  #lastTurn = 0;
  #turn: Promise<void> | undefined;

  /**
   * A promise of a synchronous answer. Every few milliseconds one resolves only after a turn of the event loop: a loop
   * over synchronous answers would otherwise keep timers and sockets waiting until its end. `weight` is how many
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
