import { commitDated, type Deadline, deadlinesOf, type PlannedCommit } from "../adapter-parts/deadline.ts";
import type { Adapter, Commit, CommitResult, MaybePromise, Namespace } from "../contract/adapter.ts";
import { isPromise } from "../contract/any-realm.ts";
import { Refusal } from "../contract/errors.ts";
import { inThisContext } from "../runtime/async-context.ts";
import { after } from "../runtime/maybe-promise.ts";
import { Pace } from "../runtime/pace.ts";
import { inTime, monotonicNow } from "../runtime/platform.ts";
import { lateness } from "../runtime/timeouts.ts";
import { AcceptedWork } from "./accepted-work.ts";
import { BackgroundSweep } from "./background-sweep.ts";
import { CallLimits } from "./call-limits.ts";
import { Liveness } from "./liveness.ts";
import { type Life, lifeOf } from "./shared-adapter.ts";

/** Closing the adapter may take what is left of the timeout, and at least this fraction of it. */
const CLOSING_SHARE = 10;

export interface ConnectionOptions {
  /** Milliseconds after which a call of the backend is given up. */
  readonly timeout: number;
  /** Milliseconds between sweeps in the background; `undefined`: none. */
  readonly sweepInterval: number | undefined;
}

/**
 * What all views of one store share: an adapter that is opened once, by the first operation, and closed once, after the
 * accepted work. Every call of the adapter goes through here or through a `Lane`, is given up after the timeout, and
 * has its error wrapped once.
 */
export class Connection {
  readonly adapter: Adapter;
  readonly pace: Pace = new Pace();
  readonly liveness: Liveness = new Liveness();
  readonly work: AcceptedWork = new AcceptedWork(this.liveness);
  readonly limits: CallLimits;
  /** The deadline `ttl` milliseconds from now. */
  readonly deadline: (ttl: number) => Deadline;
  // Runs in the async context in which the store was made: opening belongs to none of its callers.
  readonly #openAdapter: () => MaybePromise<void>;
  readonly #sweeping: BackgroundSweep;
  readonly #life: Life;
  readonly #closers = new Set<() => void>();
  readonly #leavers = new Set<() => void>();
  #state: "idle" | "opening" | "open" | "closed" = "idle";
  /** The adapter's `open` with the timeout, which operations wait for. */
  #opening: Promise<void> | undefined;
  /** The adapter's `open` itself, kept even when it was given up. */
  #underWay: Promise<void> | undefined;
  /** Closed while the adapter was opening, without waiting for it: the adapter is closed as soon as it is open. */
  #abandoned = false;
  #closing: Promise<void> | undefined;
  /** Whether the adapter is open, which it still is while the store is being closed. */
  #isOpen = false;
  /** How many operations wait for the adapter to open. Later ones may not overtake them. */
  #waiting = 0;
  /** The accepted work is done: functions of callers that still run are no longer waited for. */
  #releasing = false;
  /** The call being made is a step of an accepted operation. */
  #continuing = false;
  /** Open, and no operation waits for it any more: operations may go straight to the adapter. */
  ready = false;

  constructor(adapter: Adapter, options: ConnectionOptions) {
    this.adapter = adapter;
    this.deadline = deadlinesOf(adapter);
    this.#life = lifeOf(adapter);
    this.#openAdapter = inThisContext(() => this.#life.open());
    this.limits = new CallLimits(options.timeout);
    this.#sweeping = new BackgroundSweep(adapter, this.work, options.sweepInterval);
  }

  get closed(): boolean {
    return this.#state === "closed";
  }

  /** @throws Refusal `KV_CLOSED` */
  assertOpen(): void {
    if (this.closed && !this.#continues)
      throw new Refusal("KV_CLOSED", "the store was closed; create a new one");
  }

  /** Whether closing waits for the call being made. */
  get #continues(): boolean {
    return this.#continuing && !this.#releasing;
  }

  /** Runs an operation once the adapter is open. @throws Refusal `KV_CLOSED`; what `open` threw */
  enter<T>(run: () => MaybePromise<T>): MaybePromise<T> {
    if (this.ready) return run();
    this.assertOpen();
    if (this.closed && this.#isOpen) return run();
    if (this.#state === "idle" || (this.closed && this.#opening === undefined)) {
      const opened = this.#open();
      if (opened === undefined) return run();
    }
    this.#waiting++;
    const limit = this.limits.begin(() => undefined);
    const waited = (this.#opening ?? Promise.resolve()).then(
      () => {
        this.#admitted();
        return this.limits.within(limit, run);
      },
      (error: unknown) => {
        this.limits.end(limit);
        this.#admitted();
        throw error;
      },
    );
    return this.work.track(waited);
  }

  /** Runs a step of an operation that closing waits for (`AcceptedWork`), so that it is not refused as a new call. */
  continue<T>(run: () => T): T {
    const before = this.#continuing;
    this.#continuing = true;
    try {
      return run();
    } finally {
      this.#continuing = before;
    }
  }

  #admitted(): void {
    this.#waiting--;
    if (this.#waiting === 0) this.ready = this.#state === "open";
  }

  #open(): Promise<void> | undefined {
    const underWay = this.#underWay ?? this.#begun();
    if (underWay === undefined) return undefined;
    if (!this.closed) this.#state = "opening";
    this.#opening = this.guard(underWay, "opening").then(
      () => {
        this.#opening = undefined;
      },
      (error: unknown) => {
        this.#opening = undefined;
        if (this.#state === "opening") this.#state = "idle";
        throw error;
      },
    );
    return this.#opening;
  }

  /** Opens the adapter; `undefined` if it is open now. An `open` that was given up goes on, and the next operation waits for it. */
  #begun(): Promise<void> | undefined {
    const opened = this.#openAdapter();
    if (!isPromise(opened)) {
      this.#isOpen = true;
      if (this.closed) return undefined;
      this.#opened();
      this.ready = true;
      return undefined;
    }
    this.#underWay = opened.then(
      () => {
        this.#underWay = undefined;
        this.#isOpen = true;
        if (this.#state !== "closed") {
          this.#opened();
          this.ready = this.#waiting === 0;
        } else if (this.#abandoned) return this.#life.close();
      },
      (error: unknown) => {
        this.#underWay = undefined;
        throw error;
      },
    );
    // If it was given up, no caller waits for its outcome.
    this.#underWay.catch(() => undefined);
    return this.#underWay;
  }

  #opened(): void {
    this.#state = "open";
    this.#sweeping.start();
  }

  /** Calls back before the adapter is closed, or now if it is being closed. Returns a function that removes the callback. */
  beforeClose(callback: () => void): () => void {
    if (this.#releasing) callback();
    this.#closers.add(callback);
    return () => this.#closers.delete(callback);
  }

  /** Calls back when `close` is called, before accepted work is waited for. Returns a function that removes the callback. */
  onClosing(callback: () => void): () => void {
    if (this.closed) callback();
    this.#leavers.add(callback);
    return () => this.#leavers.delete(callback);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close().finally(() => this.liveness.end());
    return this.#closing;
  }

  async #close(): Promise<void> {
    const opening = this.#opening;
    this.#state = "closed";
    this.ready = false;
    this.#sweeping.stop();
    for (const leaver of this.#leavers) leaver();
    this.#leavers.clear();
    const began = monotonicNow();
    await opening?.catch(() => undefined);
    // A caller's function that never returns must not keep the store open; it may itself be waiting for this `close()`.
    await this.work.done((released) => inTime(released, this.#left(began), () => undefined));
    this.#releasing = true;
    for (const closer of this.#closers) closer();
    this.#closers.clear();
    if (!this.#isOpen) {
      this.#abandoned = true;
      return;
    }
    const closed = this.#life.close();
    if (!isPromise(closed)) return;
    const { ms } = this.limits;
    // However long the work took, a healthy backend gets the time to close.
    const grace = Math.max(this.#left(began), ms / CLOSING_SHARE);
    await inTime(this.work.track(closed), grace, () => {
      throw lateness("closing", ms);
    });
  }

  #left(began: number): number {
    return Math.max(0, began + this.limits.ms - monotonicNow());
  }

  /** Milliseconds after which a call of the backend is given up. */
  get timeout(): number {
    return this.limits.ms;
  }

  /** The promise, or a rejection with `KV_TIMEOUT`. */
  guard<T>(promise: Promise<T>, what?: string): Promise<T> {
    return this.limits.guard(promise, what);
  }

  /** The same for a call that writes, whose outcome is unknown when it is given up. */
  guardWrite<T>(promise: Promise<T>): Promise<T> {
    return this.limits.guardWrite(promise);
  }

  /** Milliseconds since 1970 by the adapter's clock, which is measured first if it is a server's. Opens the adapter. */
  now(): MaybePromise<number> {
    return this.enter(() => {
      const synced = this.adapter.syncClock?.();
      return after(synced && this.guard(synced), () => this.adapter.clock());
    });
  }

  /** The adapter's `commit`, once its clock is known if a deadline depends on it. */
  commit(namespace: Namespace, commits: readonly PlannedCommit[]): MaybePromise<CommitResult[]> {
    const { adapter } = this;
    // Only a server's clock makes deadlines pending.
    if (adapter.syncClock === undefined) return adapter.commit(namespace, commits as readonly Commit[]);
    return commitDated(adapter, namespace, commits, (synced) =>
      this.guard(synced, "asking for the server's time"),
    );
  }

  /** A call of the adapter outside any lane: opens first, is tracked and timed out. */
  call<T>(run: () => MaybePromise<T>): MaybePromise<T> {
    return this.enter(() => this.tracked(run));
  }

  /** The same for an open adapter. */
  tracked<T>(run: () => MaybePromise<T>): MaybePromise<T> {
    const result = run();
    return isPromise(result) ? this.work.track(this.guard(result)) : result;
  }
}
