import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Commit, CommitResult, MaybePromise, Mutation, Policy, SetMutation } from "./adapter.ts";
import { AtomicCommit } from "./atomic-commit.ts";
import { assertOk, existedIn, incrementOf, revisionOf } from "./commit-result.ts";
import { commitCounting } from "./counting.ts";
import type { Duration } from "./duration.ts";
import { Refusal } from "./errors.ts";
import { asCaller, attemptsOf, called, LOST, untilWon } from "./optimistic.ts";
import { refuseUnknownOptions } from "./options.ts";
import { ReaderView } from "./reader-view.ts";
import { removeRange } from "./removal.ts";
import {
  assertPolicy,
  CREATE_OPTIONS,
  type Envelope,
  envelope,
  over,
  REPLACE_OPTIONS,
  SET_CACHE_OPTIONS,
  SET_OPTIONS,
  touchedDeadline,
  UPDATE_OPTIONS,
} from "./set-options.ts";
import { refuseAborted, signalOf } from "./signal.ts";
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
} from "./store.ts";
import { runTransaction, TRANSACTION_OPTIONS } from "./transaction.ts";
import type { ViewSettings } from "./view-context.ts";

const NO_CHECKS: Commit["checks"] = [];
const DELETE_OPTIONS: ReadonlySet<string> = new Set(["revision", "signal"]);

/** A whole store: every view is one. Values are `unknown` here; the public interface gives them their type. */
export class View extends ReaderView implements Store<unknown> {
  readonly #root: boolean;

  constructor(settings: ViewSettings, root: boolean) {
    super(settings);
    this.#root = root;
  }

  set(key: string, value: unknown, options?: SetOptions): Promise<string> {
    return this.#set("set", key, value, options, SET_OPTIONS);
  }

  setCache(key: string, value: unknown, options?: Omit<SetOptions, "policy">): Promise<string> {
    return this.#set("setCache", key, value, options, SET_CACHE_OPTIONS, "evict");
  }

  /** The hot path: where the adapter answers at once, one call of it and one promise. */
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
    if (context.hasSchema || options?.signal !== undefined) {
      return this.#guarded(operation, key, value, options, known, NO_CHECKS, policy) as Promise<string>;
    }
    try {
      const around = this.#envelope(options, known, operation);
      const mutation = this.#mutation(context.prefix + key, value, around, policy);
      const result = context.lane.commitOne({ checks: NO_CHECKS, mutations: [mutation] });
      if (!(result instanceof Promise)) return context.connection.answer(revisionOf(result));
      return result.then(revisionOf).catch((error: unknown) => context.fail(error, operation, key));
    } catch (error) {
      return context.fail(error, operation, key);
    }
  }

  create(key: string, value: unknown, options?: Omit<SetOptions, "keepTtl">): Promise<string | undefined> {
    return this.#guarded("create", key, value, options, CREATE_OPTIONS, [
      { key: this.#stored(key), revision: null },
    ]);
  }

  replace(key: string, value: unknown, options: ReplaceOptions): Promise<string | undefined> {
    const { context } = this;
    const revision: unknown = options?.revision;
    if (typeof revision === "string") {
      return this.#guarded("replace", key, value, options, REPLACE_OPTIONS, [
        { key: this.#stored(key), revision },
      ]);
    }
    const fault =
      context.writeRefusal(key) ??
      new Refusal("KV_INVALID_OPTION", "replace needs the option revision, a string");
    return context.fail(fault, "replace", key);
  }

  /** A key that may be invalid still, for a commit that is made only once it was found valid. */
  #stored(key: unknown): string {
    return this.context.prefix + String(key);
  }

  /** A set with checks; `undefined` where they don't hold. */
  #guarded(
    operation: string,
    key: string,
    value: unknown,
    options: SetOptions | undefined,
    known: ReadonlySet<string>,
    checks: Commit["checks"],
    policy?: Policy,
  ): Promise<string | undefined> {
    const { context } = this;
    return this.#writeOne(operation, key, options, () => {
      const around = this.#envelope(options, known, operation);
      return this.#validated(value, (input) => {
        const mutation = this.#mutation(context.prefix + key, input, around, policy);
        const result = context.lane.commitOne({ checks, mutations: [mutation] }, options?.signal);
        const revision = (committed: CommitResult) =>
          committed.status === "conflict" ? undefined : revisionOf(committed);
        return result instanceof Promise ? result.then(revision) : revision(result);
      });
    });
  }

  setMany(entries: Iterable<SetTuple<unknown>>, options?: SetOptions): Promise<string[]> {
    const { context } = this;
    return this.#write("setMany", undefined, options, () => {
      this.#envelope(options, SET_OPTIONS, "setMany");
      if (typeof entries !== "object" || entries === null || typeof entries[Symbol.iterator] !== "function") {
        throw new Refusal(
          "KV_INVALID_OPTION",
          "setMany needs an array, a Map or another iterable of [key, value] tuples",
        );
      }
      const tuples = Array.from(entries, (tuple) => {
        if (!Array.isArray(tuple) || tuple.length < 2)
          throw new Refusal("KV_INVALID_OPTION", "an entry of setMany is a tuple [key, value, options?]");
        const [key, value, own] = tuple as SetTuple<unknown>;
        const fault = context.writeRefusal(key);
        if (fault !== undefined)
          throw typeof key === "string" ? new Refusal(fault.code, fault.message, { key }) : fault;
        return { key, value, around: this.#envelope(over(options, own), SET_OPTIONS, "setMany") };
      });
      if (tuples.length === 0) return [];
      const commitAll = (inputs: readonly unknown[]) => {
        const commits = tuples.map(({ key, around }, i): Commit => {
          try {
            return {
              checks: NO_CHECKS,
              mutations: [this.#mutation(context.prefix + key, inputs[i], around)],
            };
          } catch (error) {
            throw context.error(error, "setMany", key);
          }
        });
        const results = context.lane.commit(commits, options?.signal);
        const revisions = (all: readonly CommitResult[]) =>
          all.map((result, i) => this.#revisionOf(result, tuples[i]?.key));
        return results instanceof Promise ? results.then(revisions) : revisions(results);
      };
      const values = tuples.map(({ value }) => value);
      if (!context.hasSchema) return commitAll(values);
      const inputs = tuples.map(({ key, value }) => {
        try {
          const input = context.input(value);
          return input instanceof Promise
            ? input.catch((error: unknown) => context.fail(error, "setMany", key))
            : input;
        } catch (error) {
          throw context.error(error, "setMany", key);
        }
      });
      return inputs.some((input) => input instanceof Promise)
        ? this.#late(Promise.all(inputs), commitAll)
        : commitAll(inputs);
    });
  }

  #revisionOf(result: CommitResult, key: string | undefined): string {
    try {
      return revisionOf(result);
    } catch (error) {
      throw this.context.error(error, "setMany", key);
    }
  }

  /**
   * Where `fn` answers at once, no other operation of this store comes between its reading and writing, so that only
   * other processes make it try again. An asynchronous `fn` may itself use the store: it holds up nobody.
   */
  update(key: string, fn: (value: unknown) => unknown, options?: UpdateOptions): Promise<unknown> {
    const { context } = this;
    const stored = this.#stored(key);
    return this.#writeOne("update", key, options, () => {
      const around = this.#envelope(options, UPDATE_OPTIONS, "update");
      const attempts = attemptsOf(options?.attempts);
      if (typeof fn !== "function")
        throw new Refusal("KV_INVALID_OPTION", "update needs a function from the old value to the new one");
      let pending: { readonly value: Promise<unknown>; readonly revision: string | null } | undefined;
      const once = context.lane.section([stored], async (direct) => {
        const [entry] = await direct.read([stored]);
        const revision = entry?.revision ?? null;
        const value = called(fn, entry === undefined ? undefined : await context.value(entry));
        if (value instanceof Promise) {
          value.catch(() => undefined);
          pending = { value, revision };
          return LOST;
        }
        return this.#written(stored, value, revision, around, (commit) => direct.commit(commit));
      });
      const settle = async (first: unknown): Promise<unknown> => {
        if (pending !== undefined) {
          const value = await asCaller(pending.value);
          first = await this.#written(stored, value, pending.revision, around, (commit) =>
            context.lane.commitOne(commit, options?.signal),
          );
        }
        if (first !== LOST) return first;
        return untilWon(attempts - 1, async () => {
          refuseAborted(options?.signal);
          const entry = await context.lane.readOne(stored);
          const value = await asCaller(
            Promise.resolve(called(fn, entry === undefined ? undefined : await context.value(entry))),
          );
          return this.#written(stored, value, entry?.revision ?? null, around, (commit) =>
            context.lane.commitOne(commit, options?.signal),
          );
        });
      };
      return once instanceof Promise ? once.then(settle) : settle(once);
    });
  }

  /** Writes what an update made of a value (`undefined`: deletes), → that, or `LOST`. */
  async #written(
    key: string,
    value: unknown,
    revision: string | null,
    around: Envelope,
    commit: (commit: Commit) => MaybePromise<CommitResult>,
  ): Promise<unknown> {
    if (value === undefined && revision === null) return undefined;
    const mutation: Mutation =
      value === undefined
        ? { type: "delete", key }
        : this.#mutation(key, await this.context.input(value), around);
    const result = await commit({ checks: [{ key, revision }], mutations: [mutation] });
    if (result.status === "conflict") return LOST;
    assertOk(result);
    return value;
  }

  increment(key: string, by = 1, options?: IncrementOptions): Promise<number> {
    const { context } = this;
    return this.#writeOne("increment", key, options, () => {
      const { expiresAt, policy, user } = this.#envelope(options, CREATE_OPTIONS, "increment");
      const mutation = incrementOf(context.prefix + key, by, {
        expiresAt: expiresAt === "keep" ? undefined : expiresAt,
        policy,
        user,
      });
      const result = commitCounting(context, { checks: NO_CHECKS, mutations: [mutation] }, options?.signal);
      const sum = (committed: CommitResult) => assertOk(committed).outcomes[0]?.value ?? Number.NaN;
      return result instanceof Promise ? result.then(sum) : sum(result);
    });
  }

  take(key: string, options?: SignalOptions): Promise<unknown> {
    const { context } = this;
    const stored = this.#stored(key);
    return this.#writeOne("take", key, options, () => {
      signalOf(options, "take");
      return context.lane.section([stored], async (direct) => {
        for (;;) {
          const [entry] = await direct.read([stored]);
          if (entry === undefined) return undefined;
          // Decoded before it is gone: what cannot be read stays.
          const value = await context.value(entry);
          refuseAborted(options?.signal);
          const result = await direct.commit({
            checks: [{ key: stored, revision: entry.revision }],
            mutations: [{ type: "delete", key: stored }],
          });
          if (result.status === "conflict") continue;
          assertOk(result);
          return value;
        }
      });
    });
  }

  delete(key: string, options?: DeleteOptions): Promise<boolean> {
    const { context } = this;
    return this.#writeOne("delete", key, options, () => {
      refuseUnknownOptions(options, DELETE_OPTIONS, "delete");
      refuseAborted(options?.signal);
      const revision: unknown = options?.revision;
      if (revision !== undefined && typeof revision !== "string")
        throw new Refusal("KV_INVALID_OPTION", "revision must be a string");
      const stored = context.prefix + key;
      const checks = revision === undefined ? NO_CHECKS : [{ key: stored, revision }];
      const result = context.lane.commitOne(
        { checks, mutations: [{ type: "delete", key: stored }] },
        options?.signal,
      );
      return result instanceof Promise ? result.then(existedIn) : existedIn(result);
    });
  }

  deleteMany(keys: Iterable<string>, options?: SignalOptions): Promise<number> {
    const { context } = this;
    return this.#write("deleteMany", undefined, options, () => {
      signalOf(options, "deleteMany");
      const commits = context
        .storedKeys(keys)
        .map((key): Commit => ({ checks: NO_CHECKS, mutations: [{ type: "delete", key }] }));
      if (commits.length === 0) return 0;
      const results = context.lane.commit(commits, options?.signal);
      const count = (all: readonly CommitResult[]) => all.filter(existedIn).length;
      return results instanceof Promise ? results.then(count) : count(results);
    });
  }

  updateTtl(key: string, ttl: Duration | null, options?: SignalOptions): Promise<boolean> {
    return this.#touch("updateTtl", key, options, () => ({
      expiresAt: touchedDeadline(ttl, this.context.connection.adapter.clock),
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
    what: () => { expiresAt: number | null | undefined; policy: Policy | undefined },
  ): Promise<boolean> {
    const { context } = this;
    return this.#writeOne(operation, key, options, () => {
      signalOf(options, operation);
      const mutation: Mutation = { type: "touch", key: context.prefix + key, ...what() };
      const result = context.lane.commitOne({ checks: NO_CHECKS, mutations: [mutation] }, options?.signal);
      return result instanceof Promise ? result.then(existedIn) : existedIn(result);
    });
  }

  clear(selector?: ClearSelector): Promise<number> {
    return this.#write("clear", undefined, selector, () => removeRange(this.context, selector));
  }

  clearCache(options?: SignalOptions): Promise<number> {
    return this.#write("clearCache", undefined, options, () => {
      signalOf(options, "clearCache");
      return removeRange(this.context, undefined, "evict");
    });
  }

  sweep(options?: SignalOptions): Promise<number> {
    const { connection } = this.context;
    return this.#write("sweep", undefined, options, () => {
      signalOf(options, "sweep");
      return connection.enter(() => {
        const swept = connection.adapter.sweep();
        return swept instanceof Promise ? connection.track(swept) : swept;
      });
    });
  }

  atomic(): AtomicCommit {
    const { context } = this;
    return new AtomicCommit({
      writeRefusal: (key) => context.writeRefusal(key),
      stored: (key) => context.prefix + key,
      mutation: (key, value, options) => {
        const around = this.#envelope(options, SET_OPTIONS, "atomic");
        const input = context.input(value);
        const made = (valid: unknown) => this.#mutation(context.prefix + key, valid, around);
        return input instanceof Promise ? input.then(made) : made(input);
      },
      increment: (key, by, options) => {
        const { expiresAt, policy, user } = this.#envelope(options, CREATE_OPTIONS, "atomic");
        return incrementOf(context.prefix + key, by, {
          expiresAt: expiresAt === "keep" ? undefined : expiresAt,
          policy,
          user,
        });
      },
      keyOf: (stored) => context.keyOf(stored),
      commit: (prepare, signal) =>
        this.#write("commit", undefined, { signal }, () => {
          const commit = prepare();
          const run = (ready: Commit) => commitCounting(context, ready, signal);
          return commit instanceof Promise ? this.#late(commit, run) : run(commit);
        }),
    });
  }

  transaction<R>(fn: (tx: Transaction<unknown>) => R | Promise<R>, options?: TransactionOptions): Promise<R> {
    return this.#write("transaction", undefined, options, () => {
      refuseUnknownOptions(options, TRANSACTION_OPTIONS, "transaction");
      refuseAborted(options?.signal);
      const attempts = attemptsOf(options?.attempts);
      if (typeof fn !== "function") throw new Refusal("KV_INVALID_OPTION", "transaction needs a function");
      return runTransaction(this.context, () => this.atomic(), fn, attempts, options?.signal);
    });
  }

  close(): Promise<void> {
    return this.#root
      ? this.context.connection.close().catch((error: unknown) => this.context.fail(error, "close"))
      : Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  override namespace(...path: string[]): Store<unknown> {
    return new View(this.context.within(path), false);
  }

  override scope(prefix: string): Store<unknown> {
    return new View(this.context.under(prefix), false);
  }

  override typed<T>(): Store<T>;
  override typed<S extends StandardSchemaV1>(
    schema: S,
  ): Store<StandardSchemaV1.InferOutput<S>, StandardSchemaV1.InferInput<S>>;
  override typed(schema?: StandardSchemaV1): Store<never> {
    return new View(this.context.validating(schema), false) as Store<unknown> as Store<never>;
  }

  override readonly(): StoreReader<unknown> {
    return new View(this.context.with({ readOnly: true }), false);
  }

  #envelope(options: SetOptions | undefined, known: ReadonlySet<string>, of: string): Envelope {
    const { settings, connection } = this.context;
    return envelope(options, known, of, settings.defaultTtl, connection.adapter.clock);
  }

  #mutation(
    key: string,
    value: unknown,
    { expiresAt, policy, user }: Envelope,
    instead: Policy = policy,
  ): SetMutation {
    const { codecs } = this.context;
    return {
      type: "set",
      key,
      payload: codecs.payloadOf(value),
      encoding: codecs.encodingOf(value),
      expiresAt,
      policy: instead,
      user,
    };
  }

  /** Goes on with the validated value; the view's later operations keep behind a validation that takes its time. */
  #validated<T>(value: unknown, then: (input: unknown) => MaybePromise<T>): MaybePromise<T> {
    const input = this.context.input(value);
    return input instanceof Promise ? this.#late(input, then) : then(input);
  }

  #late<I, T>(validation: Promise<I>, then: (input: I) => MaybePromise<T>): Promise<T> {
    let result: MaybePromise<T> | undefined;
    const issued = validation.then((input) => {
      result = then(input);
    });
    this.context.hold(issued);
    return issued.then(() => result as MaybePromise<T>);
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
      ? this.#write(operation, key, options, run)
      : this.context.fail(fault, operation, key);
  }

  /** A write of several keys, or of a range. */
  #write<T>(
    operation: string,
    key: string | undefined,
    options: SignalOptions | undefined,
    run: () => MaybePromise<T>,
  ): Promise<T> {
    const { context } = this;
    const signal = options?.signal instanceof AbortSignal ? options.signal : undefined;
    return context.operate(operation, key, signal, () => {
      context.assertWritable();
      return run();
    });
  }
}
