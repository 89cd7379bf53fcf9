/** Leads through the tour: asks its questions, takes the time, and writes the answers down. */
export interface Guide {
  /**
   * Asks a question and returns its answer.
   * @param question in words
   * @param code the call that answers it, in short
   */
  ask<T>(question: string, code: string, answer: () => Promise<T>): Promise<T>;
  /** Reports the progress of a long step. */
  progress(done: number, total: number): void;
}

/** A question with the answer of one store. */
export interface Answer {
  readonly question: string;
  readonly code: string;
  /** Plain data, compared with the answers of the other stores. */
  readonly answer: unknown;
  readonly milliseconds: number;
}

/** A guide that writes into `answers`. */
export function guideInto(answers: Answer[], progress: Guide["progress"] = () => {}): Guide {
  return {
    progress,
    async ask(question, code, answer) {
      const started = performance.now();
      const result = await answer();
      answers.push({ question, code, answer: result, milliseconds: performance.now() - started });
      return result;
    },
  };
}
