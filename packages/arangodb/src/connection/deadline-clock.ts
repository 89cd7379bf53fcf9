import { monotonicNow, ServerClock } from "@kv/core";

/** Milliseconds by which the server's time in an answer may lie outside of what is expected. */
const TOLERANCE_MS = 50;
/** Milliseconds between two measurements that answers give rise to: coordinators may disagree all the time. */
const CALM_MS = 1000;

/**
 * The server's clock, by which deadlines are kept. Beside what `ServerClock` sees by itself, it is measured again where a
 * request was lost, since the next one may reach another server, and where an answer tells another time than expected:
 * the server's clock was set, or another coordinator answers.
 */
export class DeadlineClock {
  readonly #clock: ServerClock;
  #isDoubtful = false;
  #measured = Number.NEGATIVE_INFINITY;

  /** @param ask the server's time in milliseconds since 1970, asked now. */
  constructor(ask: () => Promise<number>) {
    this.#clock = new ServerClock(ask);
  }

  /** Milliseconds since 1970 by the server's clock. */
  now(): number {
    return this.#clock.now();
  }

  /** Measures where that is due; `undefined`: `now()` is right as it is. */
  sync(): Promise<void> | undefined {
    return this.#isDoubtful ? this.measure() : this.#clock.sync();
  }

  async measure(): Promise<void> {
    await this.#clock.measure();
    this.#isDoubtful = false;
    this.#measured = monotonicNow();
  }

  /** The next request may reach another server. */
  readonly doubt = (): void => {
    this.#isDoubtful = true;
  };

  /** An answer that took so many milliseconds says what time it was on the server in between. */
  readonly observe = (time: number, took: number): void => {
    const now = this.#clock.now();
    const isExpected = time <= now + TOLERANCE_MS && time >= now - took - TOLERANCE_MS;
    if (!isExpected && monotonicNow() - this.#measured >= CALM_MS) this.#isDoubtful = true;
  };
}
