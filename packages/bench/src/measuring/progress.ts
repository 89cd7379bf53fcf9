/** The progress of the run, on standard error: a bar on a terminal, elsewhere a line for every part that is done. */
export class Progress {
  readonly #label: string;
  readonly #total: number;
  readonly #started: number = performance.now();
  #done = 0;
  #title = "";

  constructor(label: string, total: number) {
    this.#label = label;
    this.#total = total;
  }

  begin(title: string): void {
    this.#title = title;
    if (process.stderr.isTTY) this.#draw();
  }

  end(): void {
    this.#done++;
    if (process.stderr.isTTY) this.#draw();
    else process.stderr.write(`${this.#label}: ${this.#title} (${this.#seconds()} s)\n`);
  }

  clear(): void {
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[2K");
  }

  #draw(): void {
    const width = 24;
    const full = Math.round((width * this.#done) / this.#total);
    const bar = "█".repeat(full) + "░".repeat(width - full);
    process.stderr.write(`\r\x1b[2K${this.#label} ${bar} ${this.#seconds()} s · ${this.#title}`);
  }

  #seconds(): string {
    return ((performance.now() - this.#started) / 1000).toFixed(0);
  }
}
