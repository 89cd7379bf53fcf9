/** What an object does when it is used by one caller at a time: the yardstick for what it does when used by many. */
export interface Model<State, Input, Output> {
  /** The state before the first operation of a history. */
  readonly initial: State;
  /**
   * The state after an operation that answered so, or `undefined` where it cannot have answered so. An operation of
   * which no answer is known has the output `undefined`, and is always possible. Never changes the state it is given.
   */
  step(state: State, input: Input, output: Output | undefined): State | undefined;
  /** Equal for equal states, and for no others. */
  fingerprint(state: State): string;
  /** Equal only for inputs that do the same to any state. */
  describe(input: Input): string;
}

/**
 * An operation as its caller saw it. One that certainly had no effect is left out of a history. Times are of one clock
 * that never goes back, in whatever unit; where two are equal, nobody is taken to have come first.
 */
export interface Operation<Input, Output> {
  /** Who called, for people. */
  readonly client: string;
  readonly input: Input;
  /** `undefined`: unknown. It takes effect at any time after its call, or never. */
  readonly output: Output | undefined;
  readonly called: number;
  /** When the answer came. Not looked at where the output is unknown: whoever gave up waiting saw no end of it. */
  readonly returned: number;
}
