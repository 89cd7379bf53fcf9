import { clearLine, cursorTo } from "node:readline";
import type { Paint } from "./paint.ts";

const LENGTH = 24;

/** The stream to which the tour is printed: `process.stdout`, or a test's own. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** A bar that fills on one line of a terminal. Elsewhere only the last line is written. */
export class ProgressBar {
  readonly #out: Output;
  readonly #paint: Paint;
  readonly #title: string;
  #shown = "";

  constructor(out: Output, paint: Paint, title: string) {
    this.#out = out;
    this.#paint = paint;
    this.#title = title;
  }

  /** @param share the part that is done, from 0 to 1 */
  update(share: number): void {
    if (!this.#out.isTTY) return;
    const filled = Math.round(LENGTH * share);
    const bar = this.#paint("cyan", "█".repeat(filled)) + this.#paint("dim", "░".repeat(LENGTH - filled));
    const line = `  ${this.#title}  ${bar}  ${Math.floor(100 * share)} %`;
    // A terminal is slower than a store, so an unchanged line is not written again.
    if (line === this.#shown) return;
    this.#shown = line;
    this.#replace(line);
  }

  /** Replaces the bar by the last line. */
  end(text: string): void {
    if (this.#out.isTTY) this.#replace("");
    this.#out.write(`  ${this.#title}  ${text}\n`);
  }

  #replace(line: string): void {
    clearLine(this.#out, 0);
    cursorTo(this.#out, 0);
    this.#out.write(line);
  }
}
