/** Runs actions in the order in which they are added, each after its own delay and never before its turn. */
export class DelayLine {
  readonly #waiting: { due: number; action: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;

  push(milliseconds: number, action: () => void): void {
    if (milliseconds === 0 && this.#waiting.length === 0) {
      action();
      return;
    }
    this.#waiting.push({ due: performance.now() + milliseconds, action });
    if (this.#timer === undefined) this.#pump();
  }

  /** Drops the waiting actions. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting.length = 0;
  }

  #pump(): void {
    this.#timer = undefined;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const wait = first.due - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#pump(), wait);
        return;
      }
      this.#waiting.shift();
      first.action();
    }
  }
}
