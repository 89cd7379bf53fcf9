import { isDeepStrictEqual } from "node:util";
import type { Answer } from "../guide.ts";

/** One store's way through the tour. */
export interface Visit {
  /** The store's name, for people. */
  readonly title: string;
  readonly answers: readonly Answer[];
}

/** A question with the answers of all stores, in the order of the visits. */
export interface Comparison {
  readonly question: string;
  readonly code: string;
  readonly answers: readonly (Answer | undefined)[];
  /** Whether all stores gave the same answer. */
  readonly same: boolean;
}

export function compared(visits: readonly Visit[]): Comparison[] {
  const [first] = visits;
  if (first === undefined) return [];
  return first.answers.map(({ question, code, answer }) => {
    const answers = visits.map((visit) => visit.answers.find((other) => other.question === question));
    const same = answers.every((other) => other !== undefined && isDeepStrictEqual(other.answer, answer));
    return { question, code, answers, same };
  });
}
