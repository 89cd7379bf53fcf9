import { monotonicNow, Refusal } from "@kv/core";

/** Milliseconds after a look at the files during which writes are acknowledged without another one. */
export const LOOK_INTERVAL_MS = 100;

/** The files behind a database, if known. */
export interface Watched {
  /** What has happened to them since the database was opened; `undefined`: nothing. */
  fault(): string | undefined;
}

/**
 * Checks now and then whether the files of an open database are still where they were, and refuses every operation once they
 * are not. A look is half a dozen calls of `stat`, which cost more than many a write, so the writes of a tenth of a second
 * share one.
 */
export class Custody {
  readonly #files: Watched;
  /** Called when the files are lost, and when they are back. */
  onTurn: (() => void) | undefined;
  #lookedAt = 0;
  #fault: string | undefined;

  constructor(files: Watched) {
    this.#files = files;
  }

  /** Whether operations must be refused. Costs nothing. */
  get isLost(): boolean {
    return this.#fault !== undefined;
  }

  /** Looks, unless the last look was a moment ago. Returns why a write must not be acknowledged, if so. */
  glance(): Refusal | undefined {
    const now = monotonicNow();
    if (this.#fault === undefined && now - this.#lookedAt < LOOK_INTERVAL_MS) return undefined;
    return this.look();
  }

  /** Looks now. If the files are back where they were, operations work again. */
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
    `${what}; put the files back or restore a backup, close this store, and open a new one (writes made while that happened may be missing)`,
    { retryable: false },
  );
}
