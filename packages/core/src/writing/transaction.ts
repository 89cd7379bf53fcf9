import { addToNumber } from "../adapter-parts/add-to-number.ts";
import { isOver, type PlannedSet } from "../adapter-parts/deadline.ts";
import { refuseAborted } from "../arguments/signal.ts";
import { refuseUnknownOptions } from "../arguments/unknown-options.ts";
import type { StoredEntry } from "../contract/adapter.ts";
import { Refusal } from "../contract/errors.ts";
import type { IncrementOptions, SetOptions, Transaction, TransactionOptions } from "../contract/store.ts";
import type { ViewContext } from "../operation/view-context.ts";
import { asCaller, attemptsOf, LOST, untilWon } from "../runtime/optimistic.ts";
import { AtomicCommit } from "./atomic-commit.ts";
import { notANumber } from "./commit-result.ts";
import type { Writing } from "./set-mutation.ts";

const TRANSACTION_OPTIONS: ReadonlySet<string> = new Set(["attempts", "signal"]);

/** Optimistic: nothing is locked while the function runs, and the commit checks the revisions that it read. */
export function runTransaction<R>(
  context: ViewContext,
  writing: Writing,
  fn: (tx: Transaction<unknown>) => R | Promise<R>,
  options: TransactionOptions | undefined,
): Promise<R> {
  refuseUnknownOptions(options, TRANSACTION_OPTIONS, "transaction");
  const attempts = attemptsOf(options?.attempts);
  const signal = options?.signal;
  refuseAborted(signal);
  if (typeof fn !== "function") throw new Refusal("KV_INVALID_OPTION", "transaction needs a function");
  context.connection.assertOpen();
  return untilWon(attempts, async () => {
    refuseAborted(signal);
    const tx = new BufferedTransaction(context, new AtomicCommit(context, writing, "transaction"));
    try {
      const result = await asCaller(new Promise<R>((resolve) => resolve(fn(tx))));
      refuseAborted(signal);
      return (await tx.commit()) ? result : LOST;
    } finally {
      tx.end();
    }
  });
}

class BufferedTransaction implements Transaction<unknown> {
  readonly #context: ViewContext;
  readonly #commit: AtomicCommit;
  /** The first read of each key, whose revision the commit checks. */
  readonly #read = new Map<string, Promise<StoredEntry | undefined>>();
  /** What this transaction reads under the keys that it wrote. */
  readonly #written = new Map<string, () => Promise<unknown>>();
  #ended = false;

  constructor(context: ViewContext, commit: AtomicCommit) {
    this.#context = context;
    this.#commit = commit;
  }

  async get(key: string, fallback?: unknown): Promise<unknown> {
    const value = await this.#operate(key, () => this.#value(key));
    return value === undefined ? fallback : value;
  }

  getOrThrow(key: string): Promise<unknown> {
    return this.#operate(key, async () => {
      const value = await this.#value(key);
      if (value === undefined)
        throw new Refusal("KV_NOT_FOUND", "the key does not exist; use get with a fallback");
      return value;
    });
  }

  getMany(keys: Iterable<string>): Promise<unknown[]> {
    return Promise.all(Array.from(keys, (key) => this.get(key)));
  }

  async has(key: string): Promise<boolean> {
    return (await this.#operate(key, () => this.#value(key))) !== undefined;
  }

  set(key: string, value: unknown, options?: Omit<SetOptions, "signal">): void {
    this.#assertRunning();
    this.#commit.set(key, value, options);
    const { last } = this.#commit;
    this.#written.set(key, async () => {
      const mutation = await last;
      // A set whose deadline has already passed leaves the key absent, and an increment after it counts from 0.
      if (mutation?.type !== "set" || (await this.#isOver(mutation))) return undefined;
      return this.#context.value(storedBy(mutation));
    });
  }

  delete(key: string): void {
    this.#assertRunning();
    this.#commit.delete(key);
    this.#written.set(key, () => Promise.resolve(undefined));
  }

  increment(key: string, by = 1, options?: Omit<IncrementOptions, "signal">): Promise<number> {
    this.#assertRunning();
    const before = this.#written.get(key) ?? (() => this.#stored(key));
    this.#commit.increment(key, by, options);
    const sum = this.#operate(key, async () => {
      const value = await before();
      const added = value === undefined || typeof value === "number" ? addToNumber(value, by) : undefined;
      if (added === undefined) throw notANumber(this.#context.prefix + key);
      return added;
    });
    sum.catch(() => undefined);
    this.#written.set(key, () => sum);
    return sum;
  }

  async #isOver({ expiresAt }: PlannedSet): Promise<boolean> {
    if (expiresAt === undefined || expiresAt === "keep") return false;
    const { connection } = this.#context;
    return isOver(expiresAt, await connection.continue(() => connection.now()));
  }

  /** Returns whether the commit was applied: no key that was read had changed. */
  async commit(): Promise<boolean> {
    for (const [key, read] of this.#read) {
      // A failed read was reported to the function; what it wrote all the same is not guarded by that read.
      const entry = await read.catch(() => undefined);
      if (entry !== undefined || (await settledWell(read))) this.#commit.check(key, entry?.revision ?? null);
    }
    return (await this.#context.connection.continue(() => this.#commit.commit())).ok;
  }

  end(): void {
    this.#ended = true;
  }

  #value(key: string): Promise<unknown> {
    return this.#written.get(key)?.() ?? this.#stored(key);
  }

  async #stored(key: string): Promise<unknown> {
    const fault = this.#context.keyRefusal(key);
    if (fault !== undefined) throw fault;
    let read = this.#read.get(key);
    if (read === undefined) {
      const { connection, lane, prefix } = this.#context;
      read = (async () => connection.continue(() => lane.readOne(prefix + key)))();
      this.#read.set(key, read);
    }
    const entry = await read;
    return entry === undefined ? undefined : this.#context.value(entry);
  }

  #operate<T>(key: string, run: () => Promise<T>): Promise<T> {
    const context = this.#context;
    return context.connection.continue(() =>
      context.operate("transaction", key, undefined, () => {
        this.#assertRunning();
        return run();
      }),
    );
  }

  #assertRunning(): void {
    if (this.#ended)
      throw new Refusal("KV_CLOSED", "the transaction has ended; await its calls inside its function");
  }
}

function settledWell(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => true,
    () => false,
  );
}

function storedBy({ key, payload, encoding, policy, user }: PlannedSet): StoredEntry {
  return {
    key,
    payload,
    encoding,
    policy,
    user,
    revision: "",
    createdAt: 0,
    updatedAt: 0,
    expiresAt: undefined,
    size: undefined,
  };
}
