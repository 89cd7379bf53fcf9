import { Workspace, type WorkspaceParts } from "./workspace.ts";

/** Milliseconds that a slice of background work may take: the event loop waits so long at most. */
export const SLICE_MS = 2;
/** A batch is full from this many keys, or characters and bytes, on. */
const MOST_KEYS = 2048;
const MOST_BYTES = 4 * 2 ** 20;

interface Job {
  readonly apply: (work: Workspace) => unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Answer {
  readonly job: Job;
  readonly result: unknown;
}

/** Repairs the database after a failed write. */
export interface Repair {
  /** Called after every successful write. Returns why it must not be acknowledged all the same, if so. */
  doubt(): Error | undefined;
  /** Called after every failed write. Returns the error for its callers. */
  failed(error: unknown): unknown;
  /** Called before every batch; rejects if nothing may be written. `undefined`: nothing is wrong. */
  ready(): Promise<void> | undefined;
}

/**
 * All writes, first come, first served, one batch at a time: jobs that arrive while one is being written go into the next.
 * A job reads the state as of its turn and adds its writes to the batch; so no job overtakes another, and a failed batch
 * leaves nothing else to undo.
 */
export class WriteQueue {
  readonly #parts: WorkspaceParts;
  readonly #repair: Repair;
  #jobs: Job[] = [];
  #working = false;
  #idle: (() => void) | undefined;

  constructor(parts: WorkspaceParts, repair: Repair) {
    this.#parts = parts;
    this.#repair = repair;
  }

  /** If `apply` throws, it must leave the workspace unchanged. Resolves once its changes are written. */
  run<T>(apply: (work: Workspace) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#jobs.push({ apply, resolve: resolve as Job["resolve"], reject });
      if (!this.#working) this.#next();
    });
  }

  /** Resolves once the writes under way have succeeded or failed. */
  settled(): Promise<unknown> {
    return this.run(() => undefined).catch(() => undefined);
  }

  /** Resolves once the queue is empty. */
  idle(): Promise<void> {
    if (!this.#working) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  /** Works until it must wait or the queue is empty. Without `await`, so that a single write takes few microtasks. */
  #next(): void {
    this.#working = true;
    while (this.#jobs.length > 0) {
      const ready = this.#repair.ready();
      if (ready !== undefined) {
        ready.then(
          () => this.#next(),
          (error: unknown) => {
            for (const job of this.#jobs.splice(0)) job.reject(error);
            this.#next();
          },
        );
        return;
      }
      if (this.#batch()) return;
    }
    this.#working = false;
    this.#idle?.();
  }

  /** Returns whether a write is under way; `next` is called when it ends. */
  #batch(): boolean {
    const work = new Workspace(this.#parts);
    const answers: Answer[] = [];
    try {
      this.#gather(work, answers);
      const writes = work.seal();
      if (writes !== undefined) {
        this.#parts.driver.write(writes).then(
          () => {
            const doubt = this.#repair.doubt();
            if (doubt === undefined) this.#succeed(work, answers);
            else this.#fail(answers, doubt);
            this.#next();
          },
          (error: unknown) => {
            this.#fail(answers, error);
            this.#next();
          },
        );
        return true;
      }
      this.#succeed(work, answers);
    } catch (error) {
      this.#fail(answers, error);
    }
    return false;
  }

  #succeed(work: Workspace, answers: readonly Answer[]): void {
    work.settle();
    for (const { job, result } of answers) job.resolve(result);
  }

  #fail(answers: readonly Answer[], error: unknown): void {
    // The batch may still turn out to be written.
    this.#parts.cache.clear();
    const reason = this.#repair.failed(error);
    for (const { job } of answers) job.reject(reason);
  }

  #gather(work: Workspace, answers: Answer[]): void {
    const waiting = this.#jobs;
    let taken = 0;
    for (const job of waiting) {
      if (work.keys >= MOST_KEYS || work.bytes >= MOST_BYTES) break;
      taken++;
      try {
        answers.push({ job, result: job.apply(work) });
      } catch (error) {
        job.reject(error);
      }
    }
    this.#jobs = taken === waiting.length ? [] : waiting.slice(taken);
  }
}
