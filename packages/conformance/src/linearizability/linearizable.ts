/*
 * Is there an order of a history's operations in which a single caller would have received the same answers, and in
 * which every operation that ended before another began comes before it? (Herlihy and Wing, "Linearizability: A Correctness
 * Condition for Concurrent Objects", 1990)
 *
 * The search is that of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993): any operation that no other
 * precedes may be the first. The search takes one and goes on with the rest; if that fails, it takes the operation back
 * and tries the next. As in Lowe's version ("Testing for Linearizability", 2017), and in Knossos and Porcupine, it
 * remembers each set of taken operations with the state it led to, and does not try the same set and state again, in
 * whatever order the operations were taken.
 *
 * An operation of unknown outcome may be taken at any time after its call, or not at all. If several would do the same,
 * only the one called first is tried, since it can take the place of any of the others.
 */

import type { Model, Operation } from "./model.ts";

/** Whether a history is linearizable. */
export type Answer<Input, Output> =
  | { readonly is: "linearizable" }
  /** `longest`: the most operations that could be ordered; `stuck`: the operations that could not follow them. */
  | {
      readonly is: "not linearizable";
      readonly longest: number;
      readonly stuck: readonly Operation<Input, Output>[];
    }
  /** Given up after `maxSteps`. */
  | { readonly is: "undecided" };

/** More than a history with a few dozen concurrent operations needs. */
const MAX_STEPS = 5_000_000;

/**
 * Checks whether the model explains a history, whose operations may be given in any order. The time grows with the
 * number of concurrent operations, and hardly with the length. `maxSteps` limits how many operations are tried. Default:
 * 5,000,000.
 * @throws RangeError if an operation returned before it was called, or a time is not a number
 */
export function linearizable<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
  maxSteps: number = MAX_STEPS,
): Answer<Input, Output> {
  for (const operation of history) assertTimes(operation);
  return new Search(model, history, maxSteps).run();
}

function assertTimes({ client, called, returned, output }: Operation<unknown, unknown>): void {
  if (output === undefined ? !Number.isNaN(called) : called <= returned) return;
  throw new RangeError(
    `an operation of ${client} was called at ${called} and returned at ${returned}: both must be times of one clock that never goes back`,
  );
}

/** An operation that was taken, and what is needed to take it back. */
interface Taken<State> {
  readonly place: number;
  readonly before: State;
}

class Search<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  readonly #operations: readonly Operation<Input, Output>[];
  readonly #returns: readonly number[];
  readonly #descriptions: readonly string[];
  readonly #maxSteps: number;
  readonly #taken: boolean[];
  readonly #seen = new Set<string>();
  readonly #stack: Taken<State>[] = [];
  #state: State;
  /** How many answered operations are not taken yet. */
  #left: number;
  #longest = 0;
  #stuck: Operation<Input, Output>[] = [];

  constructor(
    model: Model<State, Input, Output>,
    history: readonly Operation<Input, Output>[],
    maxSteps: number,
  ) {
    this.#model = model;
    this.#operations = history.toSorted((a, b) => a.called - b.called);
    this.#returns = this.#operations.map((operation) =>
      isAnswered(operation) ? operation.returned : Number.POSITIVE_INFINITY,
    );
    this.#descriptions = this.#operations.map(({ input }) => model.describe(input));
    this.#maxSteps = maxSteps;
    this.#taken = this.#operations.map(() => false);
    this.#state = model.initial;
    this.#left = this.#operations.filter(isAnswered).length;
  }

  run(): Answer<Input, Output> {
    let from = 0;
    for (let steps = 0; this.#left > 0; steps++) {
      if (steps === this.#maxSteps) return { is: "undecided" };
      const place = this.#next(from);
      if (place !== undefined) {
        from = 0;
        continue;
      }
      const last = this.#stack.pop();
      if (last === undefined) return { is: "not linearizable", longest: this.#longest, stuck: this.#stuck };
      this.#taken[last.place] = false;
      if (isAnswered(this.#operations[last.place])) this.#left++;
      this.#state = last.before;
      from = last.place + 1;
    }
    return { is: "linearizable" };
  }

  /** Takes the first operation, from a place on, that may come next and leads to a new configuration. */
  #next(from: number): number | undefined {
    const horizon = this.#horizon();
    const unknown = new Set<string>();
    const possible: Operation<Input, Output>[] = [];
    for (const [place, operation] of this.#operations.entries()) {
      // All later operations were called after an operation returned that is not taken yet.
      if (operation.called > horizon) break;
      if (this.#taken[place]) continue;
      possible.push(operation);
      if (!isAnswered(operation)) {
        const description = this.#descriptions[place] ?? "";
        if (unknown.has(description)) continue;
        unknown.add(description);
      }
      if (place >= from && this.#take(place, operation)) return place;
    }
    const taken = this.#stack.length;
    if (taken > this.#longest || this.#stuck.length === 0) {
      this.#longest = taken;
      this.#stuck = possible;
    }
    return undefined;
  }

  /** The earliest return among operations that are not taken yet. */
  #horizon(): number {
    let horizon = Number.POSITIVE_INFINITY;
    for (const [place, { called }] of this.#operations.entries()) {
      if (called > horizon) break;
      const returned = this.#returns[place] ?? horizon;
      if (!this.#taken[place] && returned < horizon) horizon = returned;
    }
    return horizon;
  }

  #take(place: number, operation: Operation<Input, Output>): boolean {
    const before = this.#state;
    const after = this.#model.step(before, operation.input, operation.output);
    if (after === undefined) return false;
    const fingerprint = this.#model.fingerprint(after);
    // An operation of unknown outcome that changes nothing need not be taken.
    if (!isAnswered(operation) && fingerprint === this.#model.fingerprint(before)) return false;
    this.#taken[place] = true;
    const configuration = `${this.#set()} ${fingerprint}`;
    if (this.#seen.has(configuration)) {
      this.#taken[place] = false;
      return false;
    }
    this.#seen.add(configuration);
    this.#stack.push({ place, before });
    this.#state = after;
    if (isAnswered(operation)) this.#left--;
    return true;
  }

  /** The taken operations as text: the number of places before the first gap, then a mark for each place. */
  #set(): string {
    const first = this.#taken.indexOf(false);
    if (first === -1) return String(this.#taken.length);
    const last = this.#taken.lastIndexOf(true);
    let text = `${first}:`;
    for (let place = first; place <= last; place++) text += this.#taken[place] ? "1" : "0";
    return text;
  }
}

function isAnswered(operation: Operation<unknown, unknown> | undefined): boolean {
  return operation?.output !== undefined;
}
