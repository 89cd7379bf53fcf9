import { boundsOf, WATCH_SELECTOR } from "../arguments/selector.ts";
import { refuseAborted } from "../arguments/signal.ts";
import { refuseUnknownOptions } from "../arguments/unknown-options.ts";
import type { Bounds, MaybePromise, StoredChange } from "../contract/adapter.ts";
import { isError, isPromise } from "../contract/any-realm.ts";
import { type KvError, Refusal } from "../contract/errors.ts";
import { shown } from "../contract/shown.ts";
import type { Change, WatchSelector } from "../contract/store.ts";
import type { ViewContext } from "../operation/view-context.ts";
import { endOfTick, warn } from "../runtime/platform.ts";
import { ChangeBuffer } from "./change-buffer.ts";
import { Scan } from "./scan.ts";

interface Watched {
  readonly bounds: Bounds;
  readonly initial: boolean;
  readonly signal: AbortSignal | undefined;
}

type Step = IteratorResult<Change<unknown>, undefined>;

const END: Step = { done: true, value: undefined };

/** @throws Refusal */
function watchedBy(context: ViewContext, operation: string, selector: WatchSelector | undefined): Watched {
  context.assertReadable();
  refuseUnknownOptions(selector, WATCH_SELECTOR, operation);
  refuseAborted(selector?.signal);
  const { initial = false, signal } = selector ?? {};
  if (typeof initial !== "boolean") throw new Refusal("KV_INVALID_OPTION", "initial must be true or false");
  return { bounds: boundsOf(selector ?? {}, context.prefix), initial, signal };
}

/** The changes of a range from its creation on, as an iterable or delivered to a callback. */
export class ChangeStream implements AsyncIterableIterator<Change<unknown>> {
  readonly #context: ViewContext;
  readonly #operation: string;
  readonly #buffer = new ChangeBuffer();
  /** Resolves once no later change can be missed. */
  readonly ready: Promise<void>;
  #initial: AsyncIterator<Change<unknown>> | undefined;
  #unwatch: (() => void) | undefined;
  #detach: (() => void)[] = [];
  #ended = false;
  /** It never began. */
  #failed = false;
  #failure: unknown;
  /** Wakes the consumer that waits for a change. */
  #wake: (() => void) | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(context: ViewContext, operation: string, selector: WatchSelector | undefined) {
    this.#context = context;
    this.#operation = operation;
    this.ready = this.#begin(selector);
    // The consumer gets the failure when it asks for the first change; until then it must not count as an unhandled
    // rejection.
    this.ready.catch(() => undefined);
  }

  #begin(selector: WatchSelector | undefined): Promise<void> {
    const { connection } = this.#context;
    try {
      connection.assertOpen();
      const watched = watchedBy(this.#context, this.#operation, selector);
      const { adapter } = connection;
      const { watch } = adapter;
      if (adapter.capabilities.watch === false || watch === undefined) {
        throw new Refusal(
          "KV_UNSUPPORTED",
          `the ${adapter.name} adapter cannot watch; read again at intervals instead`,
        );
      }
      const { namespace } = this.#context.settings;
      const registered = connection.call(() => {
        const registering = watch.call(adapter, namespace, watched.bounds, (changes) =>
          this.#receive(changes),
        );
        // A watch that begins after it was given up would have no consumer to end it.
        if (isPromise(registering))
          registering.then((unwatch) => this.#failed && unwatch()).catch(() => undefined);
        return registering;
      });
      if (isPromise(registered))
        return registered
          .then((unwatch) => this.#registered(unwatch, watched))
          .catch((error) => this.#fail(error));
      this.#registered(registered, watched);
      return Promise.resolve();
    } catch (error) {
      return this.#fail(error);
    }
  }

  #registered(unwatch: () => void, watched: Watched): void {
    if (this.#ended) {
      unwatch();
      return;
    }
    const { connection } = this.#context;
    this.#unwatch = unwatch;
    connection.liveness.hold();
    this.#detach.push(() => connection.liveness.release());
    this.#detach.push(connection.beforeClose(() => this.end()));
    const { signal } = watched;
    if (signal !== undefined) {
      const abort = () => this.end();
      signal.addEventListener("abort", abort, { once: true });
      this.#detach.push(() => signal.removeEventListener("abort", abort));
      if (signal.aborted) abort();
    }
    if (watched.initial) this.#initial = this.#present(watched);
  }

  #fail(error: unknown): Promise<never> {
    this.#failed = true;
    this.#failure = this.#context.error(error, this.#operation);
    this.end();
    return Promise.reject(this.#failure);
  }

  /** The existing entries, as changes. */
  #present(watched: Watched): AsyncIterator<Change<unknown>> {
    const context = this.#context;
    const range = { ...watched.bounds, reverse: false, limit: Number.POSITIVE_INFINITY, keysOnly: false };
    // As with changes, an entry that cannot be decoded is left out, and the stream goes on.
    const goesOn = context.settings.onCorrupt === "throw";
    const options = goesOn ? { onCorrupt: ({ message }: KvError) => warn(message) } : {};
    return new Scan<Change<unknown>>(context, this.#operation, range, options, (entry) => {
      const value = context.value(entry);
      const made = (decoded: unknown): Change<unknown> => ({
        type: "set",
        key: context.keyOf(entry.key),
        revision: entry.revision,
        value: decoded,
      });
      return isPromise(value) ? value.then(made) : made(value);
    });
  }

  #receive(changes: readonly StoredChange[]): void {
    if (this.#ended) return;
    for (const change of changes) this.#buffer.add(change);
    this.#wakeUp();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    // Not within the writer's call: a watcher that writes would re-enter it.
    if (wake !== undefined) endOfTick(wake);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    const step = this.#turn.then(() => this.#next());
    this.#turn = step.catch(() => undefined);
    return step;
  }

  async #next(): Promise<Step> {
    await this.ready.catch(() => undefined);
    if (this.#failure !== undefined) {
      const failure = this.#failure;
      this.#failure = undefined;
      throw failure;
    }
    if (this.#initial !== undefined && !this.#ended) {
      const step = await this.#initial.next().catch((error: unknown) => {
        // A loop that ends with an error does not call return().
        this.end();
        throw error;
      });
      if (step.done !== true) return step;
      this.#initial = undefined;
    }
    while (!this.#ended) {
      const change = this.#buffer.take();
      if (change === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      const shown = await this.#shown(change);
      if (shown !== undefined) return { done: false, value: shown };
    }
    return END;
  }

  /** A change with the view's key and the decoded value; `undefined` if the value cannot be decoded. */
  async #shown(change: StoredChange): Promise<Change<unknown> | undefined> {
    const context = this.#context;
    if (change.type === "resync") return { type: "resync" };
    const key = context.keyOf(change.key);
    if (!("entry" in change)) return { type: change.type, key };
    try {
      const value: MaybePromise<unknown> = context.value(change.entry);
      return {
        type: change.type,
        key,
        revision: change.entry.revision,
        value: isPromise(value) ? await value : value,
      };
    } catch (error) {
      try {
        context.corrupt(error, this.#operation, change.key);
      } catch {
        // With onCorrupt "throw" a scan ends; a stream goes on, and reading the key reports the error.
        warn(context.error(error, this.#operation, key).message);
      }
      return undefined;
    }
  }

  async return(): Promise<Step> {
    this.end();
    return END;
  }

  /** Ends the stream, and the iteration of its consumer. Idempotent. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const detach of this.#detach) detach();
    this.#detach = [];
    this.#initial?.return?.()?.catch(() => undefined);
    this.#initial = undefined;
    this.#unwatch?.();
    this.#unwatch = undefined;
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Calls back for every change, one at a time, until the stream ends. */
  async deliver(callback: (change: Change<unknown>) => unknown): Promise<void> {
    for (;;) {
      let step: Step;
      try {
        step = await this.next();
      } catch (error) {
        warn(`a subscription ended: ${shown(error)}`);
        this.end();
        return;
      }
      // Unsubscribed while the change was under way.
      if (step.done === true || this.#ended) return;
      try {
        await callback(step.value);
      } catch (error) {
        warn(
          `a subscriber's callback threw: ${isError(error) ? (error.stack ?? error.message) : shown(error)}`,
        );
      }
    }
  }
}
