import { aborted } from "../arguments/signal.ts";
import type { CallLimits } from "../connection/call-limits.ts";
import type { MaybePromise } from "../contract/adapter.ts";
import { isPromise } from "../contract/any-realm.ts";
import type { Pace } from "../runtime/pace.ts";
import type { Limit } from "../runtime/timeouts.ts";

export type Kind = "read" | "commit";

/** The part of the connection that a batch needs. */
export interface Caller {
  readonly pace: Pace;
  guard<T>(promise: Promise<T>): Promise<T>;
  guardWrite<T>(promise: Promise<T>): Promise<T>;
}

/** One operation's part of a batch: a run of its keys or commits. */
interface Part {
  readonly size: number;
  readonly signal: AbortSignal | undefined;
  /** Receives the results, or the result itself if the operation has one item. */
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
  readonly one: boolean;
  /** The limit of a call that had to wait. */
  readonly limit: Limit | undefined;
}

/**
 * Operations of one kind that start together, once those before them on the same keys have settled. Sections and
 * barriers are batches of the kind `"commit"` that no other operation may join.
 */
export class Batch {
  readonly kind: Kind;
  readonly #work: () => MaybePromise<void>;
  /** The keys whose last batch this is. */
  keys: string[] = [];
  /** Unsettled read batches that share keys with this one: reads don't wait for reads, but a write waits for all of them. */
  prior: Set<Batch> | undefined;
  /** The batches of operations that wait for this one only. */
  next: { read: Batch | undefined; commit: Batch | undefined } | undefined;
  #parts: Part[] = [];
  /** Those of all parts, in order. */
  #items: unknown[] = [];
  /** Whether some part has a signal or a limit, and so may have been given up before the batch starts. */
  #selective = false;
  /** The limits of the store's calls: the time of each part runs while the batch waits for others. */
  limits: CallLimits | undefined;
  waits = false;
  #whenSettled: (() => void)[] = [];
  #whenTold: (() => void) | undefined;
  #expired = 0;
  /** The program order it belongs to: batches that wait for one barrier may belong to different lanes. */
  owner: object | undefined;
  /** Whether further operations may join while it has not started. */
  shared = true;
  /** Whether lanes below the namespace have to wait for it. */
  deep = false;
  started = false;
  #settled = false;

  constructor(kind: Kind, work: () => MaybePromise<void>) {
    this.kind = kind;
    this.#work = work;
  }

  /** Resolves when it has settled, with success or failure. */
  get done(): Promise<void> {
    return new Promise((resolve) => this.onSettled(resolve));
  }

  onSettled(callback: () => void): void {
    if (this.#settled) callback();
    else this.#whenSettled.push(callback);
  }

  /** Calls back once, when every caller has its answer: when the batch has settled, or all its operations were given up. */
  onTold(callback: () => void): void {
    this.#whenTold = callback;
  }

  /** Every caller has its answer. */
  told(): void {
    const callback = this.#whenTold;
    this.#whenTold = undefined;
    callback?.();
  }

  addPrior(read: Batch): void {
    this.prior ??= new Set();
    this.prior.add(read);
    for (const earlier of read.prior ?? []) this.prior.add(earlier);
  }

  startAfter(batches: ReadonlySet<Batch>): void {
    let waiting = 0;
    let begin: (() => void) | undefined;
    const proceed = () => {
      waiting--;
      if (waiting === 0) begin?.();
    };
    for (const batch of batches) {
      if (batch.#settled) continue;
      waiting++;
      batch.onSettled(proceed);
    }
    if (waiting === 0) {
      this.#start();
      return;
    }
    // The awaited batch belongs to another caller, in whose async context this one would start: a promise keeps the
    // context of this call.
    const ready = new Promise<void>((resolve) => {
      begin = resolve;
    });
    void ready.then(() => this.#start());
  }

  #start(): void {
    this.started = true;
    const settle = () => this.#settle();
    const working = this.#work();
    if (isPromise(working)) working.then(settle, settle);
    else settle();
  }

  #settle(): void {
    this.#settled = true;
    this.told();
    for (const callback of this.#whenSettled) callback();
    this.#letGo();
  }

  /**
   * Drops every reference once settled. A batch that V8 has promoted to the old generation would otherwise keep the
   * next one alive until a full collection, and that one the next. After a timeout the adapter may still hold the items.
   */
  #letGo(): void {
    this.owner = undefined;
    this.limits = undefined;
    this.prior = undefined;
    this.next = undefined;
    this.keys = [];
    this.#parts = [];
    this.#items = [];
    this.#whenSettled = [];
  }

  /** Adds an operation. Returns its results. */
  add<T, R>(items: readonly T[], signal: AbortSignal | undefined): Promise<R[]> {
    for (const item of items) this.#items.push(item);
    return this.#part<R[]>(items.length, signal, false);
  }

  /** Adds an operation on one key or of one commit. Returns its result. */
  addOne<T, R>(item: T, signal: AbortSignal | undefined): Promise<R> {
    this.#items.push(item);
    return this.#part<R>(1, signal, true);
  }

  #part<R>(size: number, signal: AbortSignal | undefined, one: boolean): Promise<R> {
    if (signal !== undefined) this.#selective = true;
    return new Promise<R>((resolve, reject) => {
      const part: Part = { size, signal, resolve, reject, one, limit: undefined };
      this.#parts.push(this.waits || this.limits?.isGiven ? this.#limited(part) : part);
    });
  }

  /** The part, given up when the time of its call is over. */
  #limited(part: Part): Part {
    const { limits } = this;
    if (limits === undefined) return part;
    const limit = limits.begin(() => {
      if (!this.started) part.reject(limits.notBegun());
      else part.reject(this.kind === "commit" ? limits.unknownWrite() : limits.lateRead());
      if (++this.#expired < this.#parts.length) return;
      // No caller waits for it any more, and neither does closing, so later operations need another batch.
      this.shared = false;
      this.told();
    });
    this.#selective = true;
    return {
      ...part,
      limit,
      resolve(result) {
        limits.end(limit);
        part.resolve(result);
      },
      reject(error) {
        limits.end(limit);
        part.reject(error);
      },
    };
  }

  /** Makes the calls and resolves or rejects every part. Never rejects itself. */
  run<T, R>(
    call: (items: readonly T[]) => MaybePromise<R[]>,
    slice: number,
    caller: Caller,
  ): MaybePromise<void> {
    const { parts, items } = this.#wanted<T>();
    if (parts.length === 0) return;
    if (items.length > slice) return this.#runInSlices(parts, items, call, slice, caller);
    try {
      const results = call(items);
      if (!isPromise(results)) return distribute(parts, results);
      return this.#guard(caller, results).then(
        (answered) => distribute(parts, answered),
        (error: unknown) => rejectAll(parts, error),
      );
    } catch (error) {
      rejectAll(parts, error);
    }
  }

  #guard<T>(caller: Caller, promise: Promise<T>): Promise<T> {
    return this.kind === "commit" ? caller.guardWrite(promise) : caller.guard(promise);
  }

  /** Parts that were aborted or given up while they waited are not begun. */
  #wanted<T>(): { readonly parts: readonly Part[]; readonly items: readonly T[] } {
    const items = this.#items as T[];
    if (!this.#selective) return { parts: this.#parts, items };
    const parts: Part[] = [];
    const wanted: T[] = [];
    let from = 0;
    for (const part of this.#parts) {
      const to = from + part.size;
      if (part.signal?.aborted === true) part.reject(aborted(part.signal));
      else if (part.limit !== undefined && this.limits?.isSpent(part.limit))
        part.reject(this.limits.notBegun());
      else {
        parts.push(part);
        for (let at = from; at < to; at++) wanted.push(items[at] as T);
      }
      from = to;
    }
    return { parts, items: wanted };
  }

  async #runInSlices<T, R>(
    parts: readonly Part[],
    items: readonly T[],
    call: (items: readonly T[]) => MaybePromise<R[]>,
    slice: number,
    caller: Caller,
  ): Promise<void> {
    const results: R[] = [];
    try {
      for (let from = 0; from < items.length; from += slice) {
        const answered = call(items.slice(from, from + slice));
        for (const result of isPromise(answered) ? await this.#guard(caller, answered) : answered)
          results.push(result);
        await caller.pace.breathe();
      }
      distribute(parts, results);
    } catch (error) {
      // The slices before were acknowledged to the adapter's promise, those after were not begun.
      const done = parts.filter(within(results.length));
      distribute(done, results);
      rejectAll(
        parts.filter((part) => !done.includes(part)),
        error,
      );
    }
  }
}

/** Picks the parts that lie wholly within the first `length` items. */
function within(length: number): (part: Part) => boolean {
  let to = 0;
  return (part) => {
    to += part.size;
    return to <= length;
  };
}

function distribute(parts: readonly Part[], results: readonly unknown[]): void {
  let from = 0;
  for (const part of parts) {
    const to = from + part.size;
    if (part.one) part.resolve(results[from] as never);
    else part.resolve((from === 0 && to === results.length ? results : results.slice(from, to)) as never);
    from = to;
  }
}

function rejectAll(parts: readonly Part[], error: unknown): void {
  for (const part of parts) part.reject(error);
}
