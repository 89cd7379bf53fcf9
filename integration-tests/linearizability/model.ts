/** What an object does when it is used by one caller at a time: the yardstick for what it does when used by many. */
export interface Model<State, Input, Output> {
  readonly initial: State;
  /**
   * The state after an operation that answered so, or `undefined` where it cannot have answered so. An operation of
   * which no answer is known has the output `undefined`, and is always possible.
   */
  step(state: State, input: Input, output: Output | undefined): State | undefined;
  /** Equal for equal states, and for no others. */
  fingerprint(state: State): string;
  /** Equal for inputs that do the same to any state. */
  describe(input: Input): string;
}

/** An operation as its caller saw it. Times are of one clock that never goes back. */
export interface Operation<Input, Output> {
  readonly client: string;
  readonly input: Input;
  /** `undefined`: unknown. It takes effect at any time after its call, or never. */
  readonly output: Output | undefined;
  readonly called: number;
  /** `Infinity` where the output is unknown. */
  readonly returned: number;
}
