import type { PlannedCommit, PlannedIncrement, PlannedMutation } from "../adapter-parts/deadline.ts";
import { signalOf } from "../arguments/signal.ts";
import { signalIn } from "../arguments/unknown-options.ts";
import type { Check, CommitResult, MaybePromise, Outcome } from "../contract/adapter.ts";
import { isPromise } from "../contract/any-realm.ts";
import { Refusal } from "../contract/errors.ts";
import type { Atomic, AtomicResult, IncrementOptions, SetOptions, SignalOptions } from "../contract/store.ts";
import type { ViewContext } from "../operation/view-context.ts";
import { assertOk } from "./commit-result.ts";

/** What a commit in the making needs of the view it is made for. */
export interface CommitMaker {
  readonly context: ViewContext;
  /** @throws Refusal */
  mutation(key: string, value: unknown, options: SetOptions | undefined): MaybePromise<PlannedMutation>;
  /** @throws Refusal */
  increment(key: string, by: number, options: IncrementOptions | undefined): PlannedIncrement;
  commit(prepare: () => MaybePromise<PlannedCommit>, signal: AbortSignal | undefined): Promise<CommitResult>;
}

/** Values are encoded when they are given, so that changing them later changes nothing; refusals wait for `commit`. */
export class AtomicCommit implements Atomic<unknown> {
  readonly #maker: CommitMaker;
  readonly #context: ViewContext;
  readonly #operation: string;
  readonly #checks: Check[] = [];
  readonly #mutations: MaybePromise<PlannedMutation>[] = [];
  #fault: unknown;
  #committed = false;

  /** `operation` is what errors say was refused. */
  constructor(maker: CommitMaker, operation: string) {
    this.#maker = maker;
    this.#context = maker.context;
    this.#operation = operation;
  }

  check(key: string, revision: string | null): this {
    return this.#add(key, () => {
      if (typeof revision !== "string" && revision !== null) {
        throw new Refusal("KV_INVALID_OPTION", "check needs a revision, or null for an absent key");
      }
      this.#checks.push({ key: this.#context.prefix + key, revision });
    });
  }

  set(key: string, value: unknown, options?: Omit<SetOptions, "signal">): this {
    return this.#add(key, () => this.#push(this.#maker.mutation(key, value, options), key));
  }

  delete(key: string): this {
    return this.#add(key, () => this.#push({ type: "delete", key: this.#context.prefix + key }));
  }

  increment(key: string, by = 1, options?: Omit<IncrementOptions, "signal">): this {
    return this.#add(key, () => this.#push(this.#maker.increment(key, by, options)));
  }

  /** What the last call but `check` made, for those who read their own writes; `undefined`: it was refused. */
  get last(): MaybePromise<PlannedMutation> | undefined {
    return this.#fault === undefined ? this.#mutations.at(-1) : undefined;
  }

  async commit(options?: SignalOptions): Promise<AtomicResult> {
    const result = await this.#maker.commit(() => this.#prepared(options), signalIn(options));
    if (result.status === "conflict") {
      return { ok: false, failed: result.failed.map((key) => this.#context.keyOf(key)) };
    }
    const mutations = await Promise.all(this.#mutations);
    const revisions = new Map<string, string>();
    for (const [i, { revision }] of this.#outcomes(result).entries()) {
      const mutation = mutations[i];
      if (mutation === undefined || mutation.type === "touch") continue;
      const key = this.#context.keyOf(mutation.key);
      if (revision !== undefined) revisions.set(key, revision);
      // What is deleted in the end has no revision.
      else revisions.delete(key);
    }
    return { ok: true, revisions };
  }

  #prepared(options: SignalOptions | undefined): MaybePromise<PlannedCommit> {
    signalOf(options, this.#operation);
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#committed) {
      throw new Refusal("KV_INVALID_OPTION", "this commit was made already; begin another with atomic()");
    }
    this.#committed = true;
    const checks = this.#checks;
    const mutations = this.#mutations;
    return mutations.some((mutation) => isPromise(mutation))
      ? Promise.all(mutations).then((ready) => ({ checks, mutations: ready }))
      : { checks, mutations: mutations as PlannedMutation[] };
  }

  #outcomes(result: CommitResult): readonly Outcome[] {
    try {
      return assertOk(result).outcomes;
    } catch (error) {
      throw this.#context.error(error, this.#operation);
    }
  }

  #push(mutation: MaybePromise<PlannedMutation>, key?: string): void {
    if (!isPromise(mutation)) {
      this.#mutations.push(mutation);
      return;
    }
    const named = mutation.catch((error: unknown) => this.#context.fail(error, this.#operation, key));
    // What a late validation refuses is told by commit(); before that it is nobody's unhandled rejection.
    named.catch(() => undefined);
    this.#mutations.push(named);
  }

  #add(key: unknown, run: () => void): this {
    if (this.#fault !== undefined) return this;
    try {
      const fault = this.#context.writeRefusal(key);
      if (fault !== undefined) throw fault;
      run();
    } catch (error) {
      this.#fault = this.#context.error(error, this.#operation, typeof key === "string" ? key : undefined);
    }
    return this;
  }
}
