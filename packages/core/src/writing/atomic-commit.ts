import type { PlannedCommit, PlannedMutation } from "../adapter-parts/deadline.ts";
import { signalOf } from "../arguments/signal.ts";
import { signalIn } from "../arguments/unknown-options.ts";
import { CREATE_OPTIONS, initialEnvelope, SET_OPTIONS } from "../arguments/write-options.ts";
import type { Check, CommitResult, MaybePromise, Outcome } from "../contract/adapter.ts";
import { isPromise } from "../contract/any-realm.ts";
import { Refusal } from "../contract/errors.ts";
import type { Atomic, AtomicResult, IncrementOptions, SetOptions, SignalOptions } from "../contract/store.ts";
import type { ViewContext } from "../operation/view-context.ts";
import { after } from "../runtime/maybe-promise.ts";
import { assertOk, incrementOf } from "./commit-result.ts";
import { commitCounting } from "./increment.ts";
import type { Writing } from "./set-mutation.ts";

/** Values are encoded at the call, so later changes to them have no effect; refusals are reported by `commit`. */
export class AtomicCommit implements Atomic<unknown> {
  readonly #context: ViewContext;
  readonly #writing: Writing;
  readonly #operation: string;
  readonly #checks: Check[] = [];
  readonly #mutations: MaybePromise<PlannedMutation>[] = [];
  #fault: unknown;
  #committed = false;

  /** `operation`: the name that errors report. */
  constructor(context: ViewContext, writing: Writing, operation: string) {
    this.#context = context;
    this.#writing = writing;
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
    return this.#add(key, () => {
      const context = this.#context;
      const around = this.#writing.envelope(options, SET_OPTIONS, this.#operation);
      const mutation = after(context.input(value), (input) =>
        this.#writing.mutation(context.prefix + key, input, around),
      );
      this.#push(mutation, key);
    });
  }

  delete(key: string): this {
    return this.#add(key, () => this.#push({ type: "delete", key: this.#context.prefix + key }));
  }

  increment(key: string, by = 1, options?: Omit<IncrementOptions, "signal">): this {
    return this.#add(key, () => {
      const initial = initialEnvelope(this.#writing.envelope(options, CREATE_OPTIONS, this.#operation));
      this.#push(incrementOf(this.#context.prefix + key, by, initial));
    });
  }

  /** The mutation of the last call other than `check`, for a transaction that reads its own writes; `undefined` if it was refused. */
  get last(): MaybePromise<PlannedMutation> | undefined {
    return this.#fault === undefined ? this.#mutations.at(-1) : undefined;
  }

  async commit(options?: SignalOptions): Promise<AtomicResult> {
    const result = await this.#made(options);
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
      // A key that is deleted last has no revision.
      else revisions.delete(key);
    }
    return { ok: true, revisions };
  }

  #made(options: SignalOptions | undefined): Promise<CommitResult> {
    const context = this.#context;
    const signal = signalIn(options);
    return context.writing(this.#operation, undefined, { signal }, () => {
      const prepared = this.#prepared(options);
      const run = (commit: PlannedCommit) => commitCounting(context, commit, signal);
      return isPromise(prepared) ? this.#writing.late(prepared, run) : run(prepared);
    });
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
    // commit() reports what a late validation refuses; until then it must not count as an unhandled rejection.
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
