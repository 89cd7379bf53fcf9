/** What an object does when one caller at a time uses it: the standard for what it may do under concurrent use. */
export interface Model<State, Input, Output> {
  /** The state before the first operation of a history. */
  readonly initial: State;
  /**
   * The state after an operation with this output, or `undefined` if that output is impossible. An operation of unknown
   * outcome has the output `undefined`, and is always possible. Never changes the given state.
   */
  step(state: State, input: Input, output: Output | undefined): State | undefined;
  /** Equal for equal states only. */
  fingerprint(state: State): string;
  /** Equal only for inputs that change every state in the same way. */
  describe(input: Input): string;
}

/**
 * An operation as its caller saw it. Leave out an operation that certainly had no effect. All times come from one clock
 * that never goes back, in any unit; if two are equal, neither operation counts as earlier.
 */
export interface Operation<Input, Output> {
  /** The caller's name, for the report. */
  readonly client: string;
  readonly input: Input;
  /** `undefined`: unknown; the operation may take effect at any time after its call, or never. */
  readonly output: Output | undefined;
  readonly called: number;
  /** When the answer came. Ignored if the output is unknown, since the caller saw no end of the operation. */
  readonly returned: number;
}
