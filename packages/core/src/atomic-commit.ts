import type { Check, Commit, CommitResult, IncrementMutation, MaybePromise, Mutation } from "./adapter.ts";
import { assertOk } from "./commit-result.ts";
import { Refusal } from "./errors.ts";
import { signalOf } from "./signal.ts";
import type { Atomic, AtomicResult, IncrementOptions, SetOptions, SignalOptions } from "./store.ts";
import type { ViewContext } from "./view-context.ts";

/** What a commit in the making needs of the view it is made for. */
export interface CommitMaker {
  readonly context: ViewContext;
  /** @throws Refusal */
  mutation(key: string, value: unknown, options: SetOptions | undefined): MaybePromise<Mutation>;
  /** @throws Refusal */
  increment(key: string, by: number, options: IncrementOptions | undefined): IncrementMutation;
  commit(
    operation: string,
    prepare: () => MaybePromise<Commit>,
    signal: AbortSignal | undefined,
  ): Promise<CommitResult>;
}

/** Values are encoded when they are given, so that changing them later changes nothing; refusals wait for `commit`. */
export class AtomicCommit implements Atomic<unknown> {
  readonly #maker: CommitMaker;
  readonly #context: ViewContext;
  readonly #checks: Check[] = [];
  readonly #mutations: MaybePromise<Mutation>[] = [];
  #fault: unknown;
  #committed = false;

  constructor(maker: CommitMaker) {
    this.#maker = maker;
    this.#context = maker.context;
  }

  check(key: string, revision: string | null): this {
    return this.#add(key, () => {
      if (typeof revision !== "string" && revision !== null) {
        throw new Refusal("KV_INVALID_OPTION", "check needs a revision, or null for an absent key", { key });
      }
      this.#checks.push({ key: this.#context.prefix + key, revision });
    });
  }

  set(key: string, value: unknown, options?: Omit<SetOptions, "signal">): this {
    return this.#add(key, () => this.#push(this.#maker.mutation(key, value, options)));
  }

  delete(key: string): this {
    return this.#add(key, () => this.#push({ type: "delete", key: this.#context.prefix + key }));
  }

  increment(key: string, by = 1, options?: Omit<IncrementOptions, "signal">): this {
    return this.#add(key, () => this.#push(this.#maker.increment(key, by, options)));
  }

  /** What the last call but `check` made, for those who read their own writes; `undefined`: it was refused. */
  get last(): MaybePromise<Mutation> | undefined {
    return this.#fault === undefined ? this.#mutations.at(-1) : undefined;
  }

  commit(options?: SignalOptions): Promise<AtomicResult> {
    return this.commitAs("commit", options);
  }

  /** `commit` as a part of another operation, whose name errors bear. */
  async commitAs(operation: string, options?: SignalOptions): Promise<AtomicResult> {
    const result = await this.#maker.commit(
      operation,
      () => {
        signalOf(options, operation);
        if (this.#fault !== undefined) throw this.#fault;
        if (this.#committed)
          throw new Refusal("KV_INVALID_OPTION", "this commit was made already; begin another with atomic()");
        this.#committed = true;
        const mutations = this.#mutations;
        const checks = this.#checks;
        if (!mutations.some((mutation) => mutation instanceof Promise))
          return { checks, mutations: mutations as Mutation[] };
        return Promise.all(mutations).then((ready) => ({ checks, mutations: ready }));
      },
      options?.signal,
    );
    if (result.status === "conflict")
      return { ok: false, failed: result.failed.map((key) => this.#context.keyOf(key)) };
    const revisions = new Map<string, string>();
    const mutations = await Promise.all(this.#mutations);
    for (const [i, { revision }] of assertOk(result).outcomes.entries()) {
      const key = mutations[i]?.key;
      if (revision !== undefined && key !== undefined) revisions.set(this.#context.keyOf(key), revision);
    }
    // A key that was deleted in the end has no revision.
    for (const { type, key } of mutations) {
      if (type === "delete" && mutations.findLast((other) => other.key === key)?.type === "delete")
        revisions.delete(this.#context.keyOf(key));
    }
    return { ok: true, revisions };
  }

  #push(mutation: MaybePromise<Mutation>): void {
    // What a late validation refuses is told by commit(); before that it is nobody's unhandled rejection.
    if (mutation instanceof Promise) mutation.catch(() => undefined);
    this.#mutations.push(mutation);
  }

  #add(key: unknown, run: () => void): this {
    if (this.#fault !== undefined) return this;
    try {
      const fault = this.#context.writeRefusal(key);
      if (fault !== undefined) throw fault;
      run();
    } catch (error) {
      this.#fault =
        error instanceof Refusal && typeof key === "string"
          ? new Refusal(error.code, error.message, {
              key,
              cause: error.cause,
              ...(error.retryable === undefined ? {} : { retryable: error.retryable }),
            })
          : error;
    }
    return this;
  }
}
