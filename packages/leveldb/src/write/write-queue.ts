import { Workspace, type WorkspaceParts } from "./workspace.ts";

/** Milliseconds that a slice of background work may take: the event loop waits so long at most. */
export const SLICE_MS = 2;
/** Keys, and characters or bytes, from which on a batch is full. */
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

/** Mends the database after a write failed. */
export interface Repair {
  /** Called after every write that went well; → why it must not be acknowledged all the same. */
  doubt(): Error | undefined;
  /** Called after every failed write; → what its callers are told. */
  failed(error: unknown): unknown;
  /** Called before every batch; rejects where nothing may be written. `undefined`: nothing is wrong. */
  ready(): Promise<void> | undefined;
}

/**
 * All writes, first come, first served, one batch at a time: whatever arrives while one is written goes into the next.
 * A job looks at the state as of its turn and says what to write; so nothing overtakes, and nothing has to be taken back
 * but what the failed batch itself would have done.
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

  /** `apply` must leave the workspace as it was where it throws. Resolves once what it did was written. */
  run<T>(apply: (work: Workspace) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#jobs.push({ apply, resolve: resolve as Job["resolve"], reject });
      if (!this.#working) this.#next();
    });
  }

  /** Resolves when what is being written has been written, or has failed. */
  settled(): Promise<unknown> {
    return this.run(() => undefined).catch(() => undefined);
  }

  /** Resolves when nothing waits any more. */
  idle(): Promise<void> {
    if (!this.#working) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  /** Goes on until there is something to wait for, or nothing left to do. No `await`: a single write has few hops to make. */
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

  /** → whether it is under way: then `next` will be called when it has ended. */
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
    // The batch may yet be found written.
    this.#parts.cache.clear();
    const told = this.#repair.failed(error);
    for (const { job } of answers) job.reject(told);
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
