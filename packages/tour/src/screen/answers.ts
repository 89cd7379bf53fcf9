import { answerText, shortened } from "./answer-text.ts";
import type { Comparison } from "./comparison.ts";
import type { Paint } from "./paint.ts";

const MARGIN = "  ";
const GAP = "  ";
/** The indentation of answers. */
const INDENT = "    ";

/**
 * The question with its code and a mark that shows whether all answers are equal; then the answer, once if all stores gave
 * the same, else one for each store. Every line fits `width`.
 */
export function answers(
  comparisons: readonly Comparison[],
  titles: readonly string[],
  width: number,
  paint: Paint,
): string[] {
  return comparisons.flatMap((comparison) => [
    questionLine(comparison, width - MARGIN.length, paint),
    ...answerLines(comparison, titles, width - INDENT.length, paint),
    "",
  ]);
}

function questionLine({ question, code, same }: Comparison, width: number, paint: Paint): string {
  const room = width - question.length - GAP.length - 2;
  const shown = shortened(code, room).padEnd(room);
  return `${MARGIN}${question}${GAP}${paint("cyan", shown)} ${same ? paint("green", "✓") : paint("red", "✗")}`;
}

function answerLines(
  { answers: given, same }: Comparison,
  titles: readonly string[],
  width: number,
  paint: Paint,
): string[] {
  const [first] = given;
  if (same && first !== undefined) return [`${INDENT}${paint("bold", answerText(first.answer, width))}`];
  const column = Math.max(...titles.map((title) => title.length)) + GAP.length;
  return titles.map((title, index) => {
    const own = given[index];
    const text = own === undefined ? "no answer" : answerText(own.answer, width - column);
    return `${INDENT}${title.padEnd(column)}${paint("red", text)}`;
  });
}
