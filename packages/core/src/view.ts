import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { PlannedTouch } from "./adapter-parts/deadline.ts";
import { signalOf } from "./arguments/signal.ts";
import { signalIn } from "./arguments/unknown-options.ts";
import {
  assertPolicy,
  CREATE_OPTIONS,
  initialEnvelope,
  REPLACE_OPTIONS,
  SET_CACHE_OPTIONS,
  SET_OPTIONS,
  touchedDeadline,
} from "./arguments/write-options.ts";
import type { Check, Commit, CommitResult, MaybePromise, Policy } from "./contract/adapter.ts";
import { isPromise } from "./contract/any-realm.ts";
import type { Duration } from "./contract/duration.ts";
import { Refusal } from "./contract/errors.ts";
import { messageOf } from "./contract/shown.ts";
import type {
  ClearSelector,
  DeleteOptions,
  IncrementOptions,
  ReplaceOptions,
  SetOptions,
  SetTuple,
  SignalOptions,
  Store,
  StoreReader,
  Transaction,
  TransactionOptions,
  UpdateOptions,
} from "./contract/store.ts";
import { inNamespace, inScope, type ViewSettings, withSchema } from "./operation/view-settings.ts";
import { ReaderView } from "./reader-view.ts";
import { after } from "./runtime/maybe-promise.ts";
import { AtomicCommit } from "./writing/atomic-commit.ts";
import { removeRange } from "./writing/clear.ts";
import { assertOk, existedIn, incrementOf, revisionOf } from "./writing/commit-result.ts";
import { deleteEach, deleteEntry } from "./writing/delete.ts";
import { commitCounting } from "./writing/increment.ts";
import { setEach } from "./writing/set-many.ts";
import { Writing } from "./writing/set-mutation.ts";
import { takeEntry } from "./writing/take.ts";
import { runTransaction } from "./writing/transaction.ts";
import { updateEntry } from "./writing/update.ts";

const NO_CHECKS: Commit["checks"] = [];

/** A whole store; every view is one. Values are `unknown` here; the public interface gives them their type. */
export class View extends ReaderView implements Store<unknown> {
  readonly #writing: Writing;
  readonly #root: boolean;

  constructor(settings: ViewSettings, root: boolean) {
    super(settings);
    this.#writing = new Writing(this.context);
    this.#root = root;
  }

  set(key: string, value: unknown, options?: SetOptions): Promise<string> {
    return this.#set("set", key, value, options, SET_OPTIONS);
  }

  setCache(key: string, value: unknown, options?: Omit<SetOptions, "policy">): Promise<string> {
    return this.#set("setCache", key, value, options, SET_CACHE_OPTIONS, "evict");
  }

  /** The hot path: if the adapter answers at once, this costs one call and one promise. */
  #set(
    operation: string,
    key: string,
    value: unknown,
    options: SetOptions | undefined,
    known: ReadonlySet<string>,
    policy?: Policy,
  ): Promise<string> {
    const { context } = this;
    const fault = context.writeRefusal(key);
    if (fault !== undefined) return context.fail(fault, operation, key);
    if (context.hasSchema || (options !== undefined && signalIn(options) !== undefined)) {
      return this.#guarded(operation, key, value, options, known, undefined, policy) as Promise<string>;
    }
    try {
      const around = this.#writing.envelope(options, known, operation);
      const mutation = this.#writing.mutation(context.prefix + key, value, around, policy);
      const result = context.lane.commitOne({ checks: NO_CHECKS, mutations: [mutation] });
      if (!isPromise(result)) return context.pace.answer(revisionOf(result));
      return result.then(
        (committed) => this.#revisionOf(committed, operation, key),
        (error: unknown) => context.fail(error, operation, key),
      );
    } catch (error) {
      return context.fail(error, operation, key);
    }
  }

  #revisionOf(result: CommitResult, operation: string, key: string): string {
    try {
      return revisionOf(result);
    } catch (error) {
      throw this.context.error(error, operation, key);
    }
  }

  setMany(entries: Iterable<SetTuple<unknown>>, options?: SetOptions): Promise<string[]> {
    return this.context.writing("setMany", undefined, options, () =>
      setEach(this.context, this.#writing, entries, options),
    );
  }

  create(key: string, value: unknown, options?: Omit<SetOptions, "keepTtl">): Promise<string | undefined> {
    return this.#guarded("create", key, value, options, CREATE_OPTIONS, null);
  }

  replace(key: string, value: unknown, options: ReplaceOptions): Promise<string | undefined> {
    try {
      const revision: unknown = options?.revision;
      if (typeof revision === "string") {
        return this.#guarded("replace", key, value, options, REPLACE_OPTIONS, revision);
      }
    } catch (cause) {
      const message = `the option "revision" of replace cannot be read: ${messageOf(cause)}`;
      return this.context.fail(new Refusal("KV_INVALID_OPTION", message, { cause }), "replace", key);
    }
    const refusal = new Refusal("KV_INVALID_OPTION", "replace needs the option revision, a string");
    return this.context.fail(this.context.writeRefusal(key) ?? refusal, "replace", key);
  }

  /**
   * A set guarded by a revision (`null`: the key must be absent; `undefined`: no guard). Returns `undefined` if the
   * guard does not hold.
   */
  #guarded(
    operation: string,
    key: string,
    value: unknown,
    options: SetOptions | undefined,
    known: ReadonlySet<string>,
    revision: string | null | undefined,
    policy?: Policy,
  ): Promise<string | undefined> {
    const { lane, prefix } = this.context;
    return this.#writeOne(operation, key, options, () => {
      const around = this.#writing.envelope(options, known, operation);
      return this.#writing.validated(value, (input) => {
        const mutation = this.#writing.mutation(prefix + key, input, around, policy);
        const checks: readonly Check[] =
          revision === undefined ? NO_CHECKS : [{ key: mutation.key, revision }];
        const result = lane.commitOne({ checks, mutations: [mutation] }, options?.signal);
        return after(result, (committed) =>
          committed.status === "conflict" ? undefined : revisionOf(committed),
        );
      });
    });
  }

  update(key: string, fn: (value: unknown) => unknown, options?: UpdateOptions): Promise<unknown> {
    const { context } = this;
    return this.#writeOne("update", key, options, () =>
      updateEntry(context, this.#writing, context.prefix + key, fn, options),
    );
  }

  increment(key: string, by = 1, options?: IncrementOptions): Promise<number> {
    const { context } = this;
    return this.#writeOne("increment", key, options, () => {
      const initial = initialEnvelope(this.#writing.envelope(options, CREATE_OPTIONS, "increment"));
      const mutation = incrementOf(context.prefix + key, by, initial);
      const result = commitCounting(context, { checks: NO_CHECKS, mutations: [mutation] }, options?.signal);
      return after(result, (committed) => assertOk(committed).outcomes[0]?.value ?? Number.NaN);
    });
  }

  take(key: string, options?: SignalOptions): Promise<unknown> {
    return this.#writeOne("take", key, options, () =>
      takeEntry(this.context, this.context.prefix + key, options),
    );
  }

  delete(key: string, options?: DeleteOptions): Promise<boolean> {
    return this.#writeOne("delete", key, options, () =>
      deleteEntry(this.context, this.context.prefix + key, options),
    );
  }

  deleteMany(keys: Iterable<string>, options?: SignalOptions): Promise<number> {
    return this.context.writing("deleteMany", undefined, options, () =>
      deleteEach(this.context, keys, options),
    );
  }

  updateTtl(key: string, ttl: Duration | null, options?: SignalOptions): Promise<boolean> {
    const { deadline } = this.context.connection;
    return this.#touch("updateTtl", key, options, () => ({
      expiresAt: touchedDeadline(ttl, deadline),
      policy: undefined,
    }));
  }

  updatePolicy(key: string, policy: Policy, options?: SignalOptions): Promise<boolean> {
    return this.#touch("updatePolicy", key, options, () => {
      assertPolicy(policy);
      return { expiresAt: undefined, policy };
    });
  }

  #touch(
    operation: string,
    key: string,
    options: SignalOptions | undefined,
    what: () => Pick<PlannedTouch, "expiresAt" | "policy">,
  ): Promise<boolean> {
    const { lane, prefix } = this.context;
    return this.#writeOne(operation, key, options, () => {
      signalOf(options, operation);
      const mutation: PlannedTouch = { type: "touch", key: prefix + key, ...what() };
      return after(lane.commitOne({ checks: NO_CHECKS, mutations: [mutation] }, options?.signal), existedIn);
    });
  }

  clear(selector?: ClearSelector): Promise<number> {
    return this.context.writing("clear", undefined, selector, () => removeRange(this.context, selector));
  }

  clearCache(options?: SignalOptions): Promise<number> {
    return this.context.writing("clearCache", undefined, options, () => {
      signalOf(options, "clearCache");
      return removeRange(this.context, undefined, "evict", options?.signal);
    });
  }

  sweep(options?: SignalOptions): Promise<number> {
    const { connection } = this.context;
    return this.context.writing("sweep", undefined, options, () => {
      signalOf(options, "sweep");
      return connection.enter(() => {
        const swept = connection.adapter.sweep();
        return isPromise(swept) ? connection.work.track(swept) : swept;
      });
    });
  }

  atomic(): AtomicCommit {
    return new AtomicCommit(this.context, this.#writing, "commit");
  }

  transaction<R>(fn: (tx: Transaction<unknown>) => R | Promise<R>, options?: TransactionOptions): Promise<R> {
    return this.context.writing("transaction", undefined, options, () =>
      runTransaction(this.context, this.#writing, fn, options),
    );
  }

  async close(): Promise<void> {
    if (!this.#root) return;
    const { context } = this;
    await context.connection.close().catch((error: unknown) => context.fail(error, "close"));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  override namespace(...path: string[]): Store<unknown> {
    return new View(inNamespace(this.context.settings, path), false);
  }

  override scope(prefix: string): Store<unknown> {
    return new View(inScope(this.context.settings, prefix), false);
  }

  override typed<T>(): Store<T>;
  override typed<S extends StandardSchemaV1>(
    schema: S,
  ): Store<StandardSchemaV1.InferOutput<S>, StandardSchemaV1.InferInput<S>>;
  override typed(schema?: StandardSchemaV1): Store<never> {
    return new View(withSchema(this.context.settings, schema), false) as Store<unknown> as Store<never>;
  }

  override readonly(): StoreReader<unknown> {
    return new View({ ...this.context.settings, readOnly: true }, false);
  }

  /** A write of one key. */
  #writeOne<T>(
    operation: string,
    key: string,
    options: SignalOptions | undefined,
    run: () => MaybePromise<T>,
  ): Promise<T> {
    const fault = this.context.writeRefusal(key);
    return fault === undefined
      ? this.context.writing(operation, key, options, run)
      : this.context.fail(fault, operation, key);
  }
}
