import { pageIterator } from "../adapter-parts/answers.ts";
import { isEmpty } from "../arguments/selector.ts";
import { abortable, refuseAborted } from "../arguments/signal.ts";
import type { MaybePromise, Range, StoredEntry } from "../contract/adapter.ts";
import { isPromise } from "../contract/any-realm.ts";
import type { KvError } from "../contract/errors.ts";
import type { OnCorrupt } from "../contract/store.ts";
import type { ViewContext } from "../operation/view-context.ts";
import { CallerError } from "../runtime/optimistic.ts";

interface ScanOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onCorrupt?: OnCorrupt | undefined;
}

type EntryPage = readonly StoredEntry[];
type EntryPages = Iterator<EntryPage> | AsyncIterator<EntryPage>;

/**
 * A range being read, page by page. It holds one page. An entry that cannot be decoded is handled by `onCorrupt`; any
 * other failure ends the scan. Nothing is read before the first `next()`.
 */
export class Scan<T> implements AsyncIterableIterator<T> {
  readonly #context: ViewContext;
  readonly #operation: string;
  readonly #range: Range;
  readonly #options: ScanOptions;
  readonly #convert: (entry: StoredEntry) => MaybePromise<T>;
  #pages: EntryPages | undefined;
  /** The first step, which was taken when the range was opened. */
  #first: ReturnType<EntryPages["next"]> | undefined;
  #page: EntryPage = [];
  #at = 0;
  #left: number;
  #done = false;
  /** One operation reads all of it, and closing waits for that. */
  #whole = false;
  /** The `next()` under way: calls that are not awaited are answered in order. */
  #turn: Promise<unknown> | undefined;

  constructor(
    context: ViewContext,
    operation: string,
    range: Range,
    options: ScanOptions,
    convert: (entry: StoredEntry) => MaybePromise<T>,
  ) {
    this.#context = context;
    this.#operation = operation;
    this.#range = range;
    this.#options = options;
    this.#convert = convert;
    this.#left = range.limit;
    if (range.limit === 0 || isEmpty(range)) this.#done = true;
  }

  /** An iterator that rejects at its first `next()`. */
  static refused<T>(error: KvError): AsyncIterableIterator<T> {
    let told = false;
    const iterator: AsyncIterableIterator<T> = {
      next() {
        if (told) return Promise.resolve({ done: true, value: undefined });
        told = true;
        return Promise.reject(error);
      },
      return: () => Promise.resolve({ done: true, value: undefined }),
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#turn !== undefined) return this.#afterTurn();
    try {
      refuseAborted(this.#options.signal);
      while (this.#at < this.#page.length && !this.#context.connection.closed) {
        const entry = this.#take();
        const value = this.#converted(entry);
        if (isPromise(value))
          return this.#whileBusy(value.then((late) => (late === SKIPPED ? this.#fill() : yielded(late))));
        if (value !== SKIPPED) return this.#context.pace.answer(yielded(value));
      }
    } catch (error) {
      this.#done = true;
      return this.#whileBusy(this.#fail(error));
    }
    return this.#whileBusy(this.#fill());
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    await this.#release();
    return { done: true, value: undefined };
  }

  /** Frees what the adapter holds for the range. An iterator that hangs in `next` would hang in `return`, too. */
  async #release(): Promise<void> {
    this.#done = true;
    this.#page = [];
    this.#at = 0;
    const pages = this.#pages;
    this.#pages = undefined;
    this.#first = undefined;
    const { connection } = this.#context;
    const returned = pages?.return?.();
    if (isPromise(returned)) await connection.guard(returned);
  }

  /** The same after a failure, which is what the caller receives. */
  #abandon(): void {
    this.#release().catch(() => undefined);
  }

  /** All items; synchronously if every page comes synchronously. */
  all(): MaybePromise<T[]> {
    const into: T[] = [];
    if (this.#done) return into;
    this.#whole = true;
    refuseAborted(this.#options.signal);
    try {
      const started = this.#start();
      const all = isPromise(started) ? started.then(() => this.#allLate(into)) : this.#allNow(into);
      return isPromise(all) ? abortable(all, this.#options.signal) : all;
    } catch (error) {
      this.#abandon();
      throw error;
    }
  }

  /** Collects as long as pages come synchronously and the event loop needs no turn. */
  #allNow(into: T[]): MaybePromise<T[]> {
    const { connection } = this.#context;
    for (;;) {
      const step = this.#step();
      if (isPromise(step)) return this.#allLate(into, step);
      if (step === undefined || !this.#turnPage(step)) return into;
      while (this.#at < this.#page.length) {
        const value = this.#converted(this.#take());
        if (isPromise(value))
          return value.then((late) => this.#allLate(late === SKIPPED ? into : [...into, late]));
        if (value !== SKIPPED) into.push(value);
      }
      const turn = connection.pace.breathe();
      if (turn !== undefined) return turn.then(() => this.#allOn(into));
    }
  }

  #allOn(into: T[]): MaybePromise<T[]> {
    this.#later(() => this.#context.connection.assertOpen());
    return this.#allNow(into);
  }

  /** A later step of an operation, or of a loop, which ends when the store is closed. */
  #later<R>(step: () => R): R {
    return this.#whole ? this.#context.connection.continue(step) : step();
  }

  async #allLate(into: T[], step?: Promise<IteratorResult<EntryPage, unknown>>): Promise<T[]> {
    try {
      if (step !== undefined) this.#turnPage(await this.#guarded(step));
      for (;;) {
        while (this.#at < this.#page.length) {
          const value = await this.#converted(this.#take());
          if (value !== SKIPPED) into.push(value);
        }
        if (this.#done || !(await this.#nextPage())) return into;
      }
    } catch (error) {
      this.#abandon();
      throw error;
    }
  }

  #take(): StoredEntry {
    const entry = this.#page[this.#at++];
    if (entry === undefined) throw new TypeError("a page of the adapter has a hole");
    return entry;
  }

  #converted(entry: StoredEntry): MaybePromise<T | typeof SKIPPED> {
    try {
      const value = this.#convert(entry);
      return isPromise(value) ? value.catch((error: unknown) => this.#skip(error, entry)) : value;
    } catch (error) {
      return this.#skip(error, entry);
    }
  }

  #skip(error: unknown, entry: StoredEntry): typeof SKIPPED {
    this.#context.corrupt(error, this.#operation, entry.key, this.#options.onCorrupt);
    return SKIPPED;
  }

  async #fill(): Promise<IteratorResult<T, undefined>> {
    try {
      for (;;) {
        if (!this.#done) {
          refuseAborted(this.#options.signal);
          this.#context.connection.assertOpen();
        }
        while (this.#at < this.#page.length) {
          const value = await this.#converted(this.#take());
          if (value !== SKIPPED) return yielded(value);
        }
        if (this.#done) return { done: true, value: undefined };
        if (this.#pages === undefined) await abortable(Promise.resolve(this.#start()), this.#options.signal);
        if (!(await abortable(this.#nextPage(), this.#options.signal)))
          return { done: true, value: undefined };
      }
    } catch (error) {
      return this.#fail(error);
    }
  }

  async #fail(error: unknown): Promise<never> {
    const told = error instanceof CallerError ? error.thrown : this.#context.error(error, this.#operation);
    this.#abandon();
    throw told;
  }

  /** Opens the range, after the writes called before it. */
  #start(): MaybePromise<void> {
    const { connection, lane, queue } = this.#context;
    const issued = queue.issued();
    if (issued !== undefined) return issued.then(() => this.#later(() => this.#start()));
    return lane.afterCommits(() => {
      // The consumer left while it waited.
      if (this.#done) return;
      this.#pages = pageIterator(connection.adapter.scan(lane.namespace, this.#range));
      // The first page, too, must come within the time of the call.
      const first = this.#pages.next();
      this.#first = first;
      return isPromise(first) ? first.then(() => undefined) : undefined;
    }, this.#whole);
  }

  #step(): ReturnType<EntryPages["next"]> | undefined {
    const first = this.#first;
    this.#first = undefined;
    return first ?? this.#pages?.next();
  }

  async #nextPage(): Promise<boolean> {
    const pages = this.#pages;
    if (pages === undefined) return false;
    const { connection } = this.#context;
    const step = await this.#later(() =>
      connection.enter(() => {
        const next = this.#step() ?? pages.next();
        return isPromise(next) ? this.#guarded(next) : next;
      }),
    );
    await connection.pace.breathe();
    // The consumer may have left meanwhile.
    return !this.#done && this.#turnPage(step);
  }

  #guarded(step: Promise<IteratorResult<EntryPage, unknown>>): Promise<IteratorResult<EntryPage, unknown>> {
    const { connection } = this.#context;
    return connection.work.track(connection.guard(step));
  }

  #turnPage(step: IteratorResult<EntryPage, unknown>): boolean {
    if (step.done === true) {
      this.#done = true;
      return false;
    }
    this.#page = step.value.length > this.#left ? step.value.slice(0, this.#left) : step.value;
    this.#left -= this.#page.length;
    this.#at = 0;
    return true;
  }

  #whileBusy(result: Promise<IteratorResult<T, undefined>>): Promise<IteratorResult<T, undefined>> {
    const turn = result.then(
      () => undefined,
      () => undefined,
    );
    this.#turn = turn;
    void turn.then(() => {
      if (this.#turn === turn) this.#turn = undefined;
    });
    return result;
  }

  #afterTurn(): Promise<IteratorResult<T, undefined>> {
    const result = Promise.resolve(this.#turn).then(() => this.#fill());
    return this.#whileBusy(result);
  }
}

/** Stands for an entry that was left out. */
const SKIPPED: unique symbol = Symbol("skipped");

function yielded<T>(value: T): IteratorResult<T, undefined> {
  return { done: false, value };
}
