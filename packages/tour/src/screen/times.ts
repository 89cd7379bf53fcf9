import { shortened, timeText } from "./answer-text.ts";
import type { Comparison } from "./comparison.ts";
import type { Paint } from "./paint.ts";

const MARGIN = "  ";
const GAP = 2;
/** The width of the longest time, with the space between two columns. */
const NARROWEST = "999 ms".length + GAP;

/** How long each store took to answer each question, a row a question, a column a store. Every line fits `width`. */
export function times(
  comparisons: readonly Comparison[],
  titles: readonly string[],
  width: number,
  paint: Paint,
): string[] {
  const columns = titles.map((title) => Math.max(NARROWEST, title.length + GAP));
  const room = width - MARGIN.length - columns.reduce((sum, column) => sum + column, 0);
  const asked = Math.min(room, Math.max(...comparisons.map(({ question }) => question.length)));
  const row = (head: string, cells: readonly string[]): string =>
    `${MARGIN}${head.padEnd(asked)}${cells.map((cell, index) => cell.padStart(columns[index] ?? 0)).join("")}`;
  return [
    paint("bold", row("", titles)),
    `${MARGIN}${paint("dim", "─".repeat(row("", titles).length - MARGIN.length))}`,
    ...comparisons.map(({ question, answers }) =>
      row(
        shortened(question, asked),
        answers.map((given) => (given === undefined ? "–" : timeText(given.milliseconds))),
      ),
    ),
  ];
}
