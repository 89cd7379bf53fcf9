import { Workspace, type WorkspaceParts } from "./workspace.ts";

/** Keys, and characters or bytes, from which on a batch is full. */
const MOST_KEYS = 2048;
const MOST_BYTES = 4 * 2 ** 20;

interface Job {
  readonly apply: (work: Workspace) => unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Whoever mends the database after a write failed. */
export interface Repair {
  /** Called after every failed write. */
  failed(error: unknown): void;
  /** Called before every batch; throws where nothing may be written. `undefined`: nothing is wrong. */
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
      if (!this.#working) void this.#work();
    });
  }

  /** Resolves when nothing waits any more. */
  idle(): Promise<void> {
    if (!this.#working) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  async #work(): Promise<void> {
    this.#working = true;
    while (this.#jobs.length > 0) {
      try {
        const repaired = this.#repair.ready();
        if (repaired !== undefined) await repaired;
      } catch (error) {
        for (const job of this.#jobs.splice(0)) job.reject(error);
        break;
      }
      await this.#batch();
    }
    this.#working = false;
    this.#idle?.();
  }

  async #batch(): Promise<void> {
    const work = new Workspace(this.#parts);
    const done: (() => void)[] = [];
    const jobs: Job[] = [];
    try {
      this.#gather(work, jobs, done);
      const writes = work.seal();
      if (writes.puts.length > 0 || writes.deletions.length > 0) await this.#parts.driver.write(writes);
    } catch (error) {
      // What was remembered may have been remembered for the sake of this batch, and the batch may yet be found written.
      this.#parts.cache.clear();
      this.#repair.failed(error);
      for (const job of jobs) job.reject(error);
      return;
    }
    work.settle();
    for (const resolve of done) resolve();
  }

  #gather(work: Workspace, jobs: Job[], done: (() => void)[]): void {
    const waiting = this.#jobs;
    let taken = 0;
    for (const job of waiting) {
      if (work.keys >= MOST_KEYS || work.bytes >= MOST_BYTES) break;
      taken++;
      try {
        const result = job.apply(work);
        jobs.push(job);
        done.push(() => job.resolve(result));
      } catch (error) {
        job.reject(error);
      }
    }
    this.#jobs = taken === waiting.length ? [] : waiting.slice(taken);
  }
}
