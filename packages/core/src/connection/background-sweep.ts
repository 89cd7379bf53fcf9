import type { Adapter } from "../contract/adapter.ts";
import { isPromise } from "../contract/any-realm.ts";
import { inThisContext } from "../runtime/async-context.ts";
import { backgroundInterval } from "../runtime/platform.ts";
import type { AcceptedWork } from "./accepted-work.ts";

/** Reclaims the space of expired entries from time to time while the store is open. */
export class BackgroundSweep {
  /** Runs in the async context in which the store was made: sweeping belongs to none of its callers. */
  readonly start: () => void;
  readonly #adapter: Adapter;
  readonly #work: AcceptedWork;
  #cancel: (() => void) | undefined;
  #stopped = false;
  #sweeping = false;

  /** @param interval milliseconds between sweeps; `undefined`: none */
  constructor(adapter: Adapter, work: AcceptedWork, interval: number | undefined) {
    this.#adapter = adapter;
    this.#work = work;
    this.start = inThisContext(() => {
      if (interval !== undefined) this.#cancel = backgroundInterval(() => this.#sweep(), interval);
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #sweep(): void {
    if (this.#sweeping || this.#stopped) return;
    this.#sweeping = true;
    const done = () => {
      this.#sweeping = false;
    };
    // Expired entries are absent, swept or not; the next sweep makes up for a failure.
    try {
      const swept = this.#adapter.sweep();
      if (isPromise(swept)) this.#work.track(swept).then(done, done);
      else done();
    } catch {
      done();
    }
  }
}
