import { monotonicNow, ServerClock } from "@kv/core";

/** Milliseconds that the server's time in an answer may deviate from the expected range. */
const TOLERANCE_MS = 50;
/** The least milliseconds between two measurements that answers cause: coordinators may disagree permanently. */
const CALM_MS = 1000;

/**
 * The server's clock, which deadlines follow. In addition to what `ServerClock` detects, it is measured again after a lost
 * request, since the next one may reach another server, and after an answer with an unexpected time: the server's clock was
 * set, or another coordinator answered.
 */
export class DeadlineClock {
  readonly #clock: ServerClock;
  #isDoubtful = false;
  #measured = Number.NEGATIVE_INFINITY;

  /** @param ask asks the server for its time, in milliseconds since 1970 */
  constructor(ask: () => Promise<number>) {
    this.#clock = new ServerClock(ask);
  }

  /** Milliseconds since 1970 by the server's clock. */
  now(): number {
    return this.#clock.now();
  }

  /** Measures if that is due; `undefined`: `now()` is right. */
  sync(): Promise<void> | undefined {
    return this.#isDoubtful ? this.measure() : this.#clock.sync();
  }

  async measure(): Promise<void> {
    await this.#clock.measure();
    this.#isDoubtful = false;
    this.#measured = monotonicNow();
  }

  /** Call it when the next request may reach another server. */
  readonly doubt = (): void => {
    this.#isDoubtful = true;
  };

  /** Takes the server's time from an answer that took `took` milliseconds. */
  readonly observe = (time: number, took: number): void => {
    const now = this.#clock.now();
    const isExpected = time <= now + TOLERANCE_MS && time >= now - took - TOLERANCE_MS;
    if (!isExpected && monotonicNow() - this.#measured >= CALM_MS) this.#isDoubtful = true;
  };
}
