/** From values to pixels, equal factors to equal distances. */
export class LogScale {
  readonly #low: number;
  readonly #high: number;
  readonly #from: number;
  readonly #to: number;

  /** With a little room beyond the extremes, so that no dot sits on the edge. */
  constructor(least: number, most: number, from: number, to: number) {
    this.#low = Math.log10(least) - 0.08;
    this.#high = Math.log10(most) + 0.08;
    this.#from = from;
    this.#to = to;
  }

  x(value: number): number {
    return (
      this.#from + ((Math.log10(value) - this.#low) / (this.#high - this.#low)) * (this.#to - this.#from)
    );
  }

  /** The powers of ten in range; where these are few, 2 and 5 times them as well. */
  ticks(): number[] {
    const factors = this.#high - this.#low > 2.5 ? [1] : [1, 2, 5];
    const ticks: number[] = [];
    for (let power = Math.floor(this.#low); power <= this.#high; power++) {
      for (const factor of factors) {
        const tick = Number((factor * 10 ** power).toPrecision(1));
        const at = Math.log10(tick);
        if (at >= this.#low && at <= this.#high) ticks.push(tick);
      }
    }
    return ticks;
  }
}
