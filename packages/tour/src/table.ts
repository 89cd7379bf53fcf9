import { answerText, shortened, timeText } from "./answer-text.ts";
import type { Comparison } from "./comparison.ts";
import type { Paint } from "./paint.ts";

const MARGIN = "  ";
const GAP = "  ";
/** As wide as the longest question of the tour. */
const QUESTION = 31;

interface Cell {
  readonly text: string;
  readonly style: Parameters<Paint>[0];
}

/**
 * The answers side by side, two lines to a question: on the first the question and each store's answer, on the second
 * the code and each store's time. The mark at the end says whether the answers are equal. Every line fits `width`.
 */
export function table(
  comparisons: readonly Comparison[],
  titles: readonly string[],
  width: number,
  paint: Paint,
): string[] {
  const room = width - MARGIN.length - QUESTION - 1 - GAP.length * (titles.length + 1);
  const widths = [QUESTION, ...titles.map(() => Math.floor(room / titles.length)), 1];
  const line = (cells: readonly Cell[]): string => {
    const padded = cells.map(({ text, style }, column) => {
      const columnWidth = widths[column] ?? 0;
      return paint(style, shortened(text, columnWidth).padEnd(columnWidth));
    });
    return `${MARGIN}${padded.join(GAP)}`.trimEnd();
  };
  const rule = "─".repeat(widths.reduce((sum, each) => sum + GAP.length + each));
  return [
    line(["Question, and code", ...titles].map((text) => ({ text, style: "bold" }))),
    `${MARGIN}${paint("dim", rule)}`,
    ...comparisons.flatMap((comparison) => [
      line(answerCells(comparison, widths[1] ?? 0)),
      line(timeCells(comparison)),
      "",
    ]),
  ];
}

function answerCells({ question, answers, same }: Comparison, width: number): Cell[] {
  return [
    { text: question, style: "reset" },
    ...answers.map((given): Cell => {
      if (given === undefined) return { text: "no answer", style: "red" };
      return { text: answerText(given.answer, width), style: same ? "bold" : "red" };
    }),
    same ? { text: "✓", style: "green" } : { text: "✗", style: "red" },
  ];
}

function timeCells({ code, answers }: Comparison): Cell[] {
  return [
    { text: code, style: "cyan" },
    ...answers.map((given): Cell => {
      return { text: given === undefined ? "" : timeText(given.milliseconds), style: "dim" };
    }),
  ];
}
