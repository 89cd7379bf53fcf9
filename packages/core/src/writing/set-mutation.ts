import type { PlannedCommit, PlannedSet } from "../adapter-parts/deadline.ts";
import { type Envelope, envelope } from "../arguments/write-options.ts";
import type { CommitResult, MaybePromise, Policy } from "../contract/adapter.ts";
import { isPromise } from "../contract/any-realm.ts";
import type { SetOptions } from "../contract/store.ts";
import type { ViewContext } from "../operation/view-context.ts";

/** Commits through the lane, or straight to the adapter within a section. */
export type CommitOne = (commit: PlannedCommit) => MaybePromise<CommitResult>;

/** Turns a value and its options into the mutation that writes them. */
export class Writing {
  readonly #context: ViewContext;

  constructor(context: ViewContext) {
    this.#context = context;
  }

  /** @throws Refusal if an option is invalid */
  envelope(options: SetOptions | undefined, known: ReadonlySet<string>, of: string): Envelope {
    const { settings, connection } = this.#context;
    return envelope(options, known, of, settings.defaultTtl, connection.deadline);
  }

  /** @throws Refusal if the codec refuses the value */
  mutation(
    key: string,
    value: unknown,
    { expiresAt, policy, user }: Envelope,
    instead: Policy = policy,
  ): PlannedSet {
    const { codecs } = this.#context;
    const encoding = codecs.encodingOf(value);
    return { type: "set", key, payload: codecs.payloadOf(value), encoding, expiresAt, policy: instead, user };
  }

  /** Calls `then` with the value that the schema returns. */
  validated<T>(value: unknown, then: (input: unknown) => MaybePromise<T>): MaybePromise<T> {
    const input = this.#context.input(value);
    return isPromise(input) ? this.late(input, then) : then(input);
  }

  /**
   * Calls `then` after an asynchronous validation; the view's later operations wait for it.
   * @throws Refusal `KV_CLOSED`
   */
  late<I, T>(validation: Promise<I>, then: (input: I) => MaybePromise<T>): Promise<T> {
    const { connection } = this.#context;
    connection.assertOpen();
    let result: MaybePromise<T> | undefined;
    const issued = validation.then((input) => {
      result = connection.continue(() => then(input));
    });
    this.#context.queue.hold(issued);
    return issued.then(() => result as MaybePromise<T>);
  }
}
