import { monotonicNow, Refusal } from "@kv/core";

/** Milliseconds: what is written is acknowledged without a look at the files for so long after the last one. */
export const LOOK_INTERVAL_MS = 100;

/** A test's fake clock measures no real time. */

/** The files behind a database, as far as they are known. */
export interface Watched {
  /** What happened to them since the database was opened; `undefined`: nothing. */
  fault(): string | undefined;
}

/**
 * Looks now and then whether the files of an open database are still where they were, and refuses everything once they are
 * not. A look is half a dozen calls of `stat`: dearer than many a write, so one is made for the writes of a tenth of a second.
 */
export class Custody {
  readonly #files: Watched;
  /** Called when the files are lost, and when they are well again. */
  onTurn: (() => void) | undefined;
  #lookedAt = 0;
  #fault: string | undefined;

  constructor(files: Watched) {
    this.#files = files;
  }

  /** Whether operations have to be refused. Costs nothing. */
  get isLost(): boolean {
    return this.#fault !== undefined;
  }

  /** Looks, unless that was done a moment ago; → why what was written must not be acknowledged. */
  glance(): Refusal | undefined {
    const now = monotonicNow();
    if (this.#fault === undefined && now - this.#lookedAt < LOOK_INTERVAL_MS) return undefined;
    return this.look();
  }

  /** Looks now. Files that are back where they were are well again. */
  look(): Refusal | undefined {
    const wasLost = this.isLost;
    this.#fault = this.#files.fault();
    this.#lookedAt = monotonicNow();
    if (wasLost !== this.isLost) this.onTurn?.();
    return this.#fault === undefined ? undefined : lost(this.#fault);
  }

  /** @throws Refusal `KV_UNAVAILABLE` */
  demand(): void {
    const refusal = this.look();
    if (refusal !== undefined) throw refusal;
  }
}

function lost(what: string): Refusal {
  return new Refusal(
    "KV_UNAVAILABLE",
    `${what}; see to the files, close this store, and open a new one (of what was written while that happened, some may be missing)`,
  );
}
