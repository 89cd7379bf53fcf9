import { answerText, shortened, timeText } from "./answer-text.ts";
import type { Comparison } from "./comparison.ts";
import type { Answer } from "./guide.ts";
import type { Paint } from "./paint.ts";

const MARGIN = "  ";
const GAP = "  ";
/** How far the answers stand in from their question. */
const INDENT = "  ";

interface Cell {
  readonly text: string;
  readonly style: Parameters<Paint>[0];
}

/**
 * Three lines to a question: the question and its code, with a mark that says whether all answers are equal; then each
 * store's answer, side by side; and each store's time. Every line fits `width`.
 */
export function table(
  comparisons: readonly Comparison[],
  titles: readonly string[],
  width: number,
  paint: Paint,
): string[] {
  const whole = width - MARGIN.length;
  const column = Math.floor((whole - INDENT.length) / titles.length) - GAP.length;
  const row = (cells: readonly Cell[]): string => {
    const padded = cells.map(({ text, style }) => paint(style, shortened(text, column).padEnd(column)));
    return `${MARGIN}${INDENT}${padded.join(GAP)}`.trimEnd();
  };
  const rule = `${MARGIN}${paint("dim", "─".repeat(whole))}`;
  return [
    row(titles.map((text) => ({ text, style: "bold" }))),
    rule,
    ...comparisons.flatMap((comparison) => [
      questionLine(comparison, whole, paint),
      row(comparison.answers.map((given) => answerCell(given, comparison.same, column))),
      row(comparison.answers.map((given) => timeCell(given))),
      "",
    ]),
  ];
}

function questionLine({ question, code, same }: Comparison, width: number, paint: Paint): string {
  const room = width - question.length - GAP.length - 2;
  const shown = shortened(code, room).padEnd(room);
  return `${MARGIN}${question}${GAP}${paint("cyan", shown)} ${same ? paint("green", "✓") : paint("red", "✗")}`;
}

function answerCell(given: Answer | undefined, same: boolean, width: number): Cell {
  if (given === undefined) return { text: "no answer", style: "red" };
  return { text: answerText(given.answer, width), style: same ? "bold" : "red" };
}

function timeCell(given: Answer | undefined): Cell {
  return { text: given === undefined ? "" : timeText(given.milliseconds), style: "dim" };
}
