import { monotonicNow, wallNow } from "../runtime/real-time.ts";

/** Milliseconds by which this machine's two clocks may diverge before the server's is measured again. */
const TOLERANCE_MS = 20;
/** A measurement whose answer came this fast, in milliseconds, needs no second one. */
const PROMPT_MS = 10;
/** Clocks report whole milliseconds. */
const RESOLUTION_MS = 1;
/** How often a measurement is tried before its best answer is taken. */
const ATTEMPTS = 3;

/** This machine's clocks, in milliseconds. */
export interface LocalClocks {
  /** Milliseconds since 1970, by the system clock: may be set, and jumps after a suspension. */
  wall(): number;
  /** Milliseconds since an arbitrary moment: never set, and stands still while the machine is suspended. */
  monotonic(): number;
}

/** One measurement: the server's time, and that of the local clocks at the same moment. */
interface Anchor {
  readonly server: number;
  readonly wall: number;
  readonly monotonic: number;
}

/**
 * The clock of a server, for adapters whose deadlines are compared there.
 *
 * Between two measurements this machine's monotonic clock advances the server's time, so that a wall clock that is
 * wrong, or set while the store is open, does not move deadlines. `sync` measures again if the two local clocks have
 * diverged, which happens when the clock is set or the machine was suspended.
 */
export class ServerClock {
  readonly #ask: () => Promise<number>;
  readonly #local: LocalClocks;
  #anchor: Anchor | undefined;
  #measuring: Promise<void> | undefined;

  /** @param ask asks the server for its time, in milliseconds since 1970 */
  constructor(ask: () => Promise<number>, local: LocalClocks = { wall: wallNow, monotonic: monotonicNow }) {
    this.#ask = ask;
    this.#local = local;
  }

  /** Milliseconds since 1970 by the server's clock; by this machine's until the first measurement. */
  readonly now = (): number => {
    const anchor = this.#anchor;
    if (anchor === undefined) return Math.round(this.#local.wall());
    return Math.round(anchor.server + this.#local.monotonic() - anchor.monotonic);
  };

  /** Measures if that is due; `undefined` if `now()` is accurate. Rejects if the server does not answer. */
  readonly sync = (): Promise<void> | undefined => {
    const anchor = this.#anchor;
    if (anchor !== undefined) {
      const parted = this.#local.wall() - anchor.wall - (this.#local.monotonic() - anchor.monotonic);
      if (Math.abs(parted) <= TOLERANCE_MS) return undefined;
    }
    return this.measure();
  };

  /** Measures now: at each opening, after a reconnect, and with each sweep. Concurrent calls share one measurement. */
  measure(): Promise<void> {
    this.#measuring ??= this.#measure().finally(() => {
      this.#measuring = undefined;
    });
    return this.#measuring;
  }

  async #measure(): Promise<void> {
    let best = Number.POSITIVE_INFINITY;
    let found: Anchor | undefined;
    try {
      for (let attempt = 0; attempt < ATTEMPTS && best > PROMPT_MS; attempt++) {
        const asked = this.#local.monotonic();
        const server = await this.#ask();
        const monotonic = this.#local.monotonic();
        const took = monotonic - asked;
        if (took >= best) continue;
        best = took;
        // The server read its clock somewhere in between. If this machine's clock may have had the same time then, the
        // two count as synchronized: the measurement is less precise than their difference.
        const wall = this.#local.wall();
        const middle = server + took / 2;
        const agree = Math.abs(wall - middle) <= took / 2 + RESOLUTION_MS;
        found = { server: agree ? wall : middle, wall, monotonic };
      }
    } finally {
      // The earlier measurement is valid until now, so that no write waits for a routine one.
      if (found !== undefined) this.#anchor = found;
    }
  }
}
