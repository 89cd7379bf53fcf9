/** What time it is on the server. Its clock may be wrong, and may be set while it runs. */
export class ServerTime {
  /** Milliseconds by which the server's clock is ahead of the one that it was made with; negative: behind. */
  ahead = 0;
  readonly #clock: () => number;

  /** @param clock milliseconds since 1970 */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Milliseconds since 1970, an integer. */
  readonly now = (): number => Math.round(this.#clock() + this.ahead);
}
