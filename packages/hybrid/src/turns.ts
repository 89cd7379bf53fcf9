/** Lets at most `atOnce` callers run at a time, in the order in which they came. */
export class Turns {
  readonly #atOnce: number;
  #waiting: (() => void)[] = [];
  /** The index of the first waiting caller that has not had its turn. */
  #first = 0;
  #running = 0;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Resolves when it is the caller's turn, which lasts until it calls `end`. */
  begin(): Promise<void> | undefined {
    if (this.#running < this.#atOnce) {
      this.#running++;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  end(): void {
    const next = this.#waiting[this.#first];
    if (next === undefined) {
      this.#running--;
      return;
    }
    this.#first++;
    if (this.#first * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    next();
  }
}
