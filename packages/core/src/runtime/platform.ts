import { nextTurn, type RawTimer, rawTimer } from "./real-time.ts";

export { endOfTick, monotonicNow, nextTurn } from "./real-time.ts";

/** The globals that differ among Node, Bun, Deno and browsers. */
interface Host {
  readonly process?: {
    emitWarning?(message: string, type: string): void;
  };
}

const { process } = globalThis as unknown as Host;

/** The host's timers hold 31 bits: longer ones would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Whether an option is a number of milliseconds that a driver can wait for: drivers pass it to the host's timers, or
 * keep it in 31 bits themselves. Pauses of this library may be longer, see `timer`.
 */
export function isMilliseconds(value: unknown, least: number): value is number {
  return typeof value === "number" && value >= least && value <= MAX_TIMER_MS;
}

export interface Timer {
  /** Whether it keeps the process alive, as it does at first. */
  hold(held: boolean): void;
  /** Prevents it from firing. */
  cancel(): void;
}

/**
 * Calls back once, after `ms` milliseconds of real time: of any length (`Infinity`: never), and even if a test has
 * installed fake timers.
 */
export function timer(callback: () => void, ms: number): Timer {
  let raw: RawTimer;
  let held = true;
  const wait = (left: number): void => {
    const part = Math.min(left, MAX_TIMER_MS);
    raw = rawTimer(() => (left > part ? wait(left - part) : callback()), part);
    if (!held) raw.unref();
  };
  wait(ms);
  return {
    hold(wanted) {
      held = wanted;
      if (held) raw.ref();
      else raw.unref();
    },
    cancel: () => raw.cancel(),
  };
}

/**
 * Calls back every `ms` milliseconds of real time, until the returned function is called. It does not keep the process
 * alive.
 */
export function backgroundInterval(callback: () => void, ms: number): () => void {
  let next: Timer;
  const wait = (): void => {
    next = timer(() => {
      wait();
      callback();
    }, ms);
    next.hold(false);
  };
  wait();
  return () => next.cancel();
}

/** Resolves after the event loop has had a turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve));
}

/** Resolves after `ms` milliseconds of real time, and keeps the process alive until then. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    timer(resolve, ms);
  });
}

/** The promise, or the result of `late` if it takes more than `ms` milliseconds. */
export function inTime<T>(promise: Promise<T>, ms: number, late: () => T): Promise<T> {
  if (ms === Number.POSITIVE_INFINITY) return promise;
  return new Promise<T>((resolve, reject) => {
    const limit = timer(() => {
      try {
        resolve(late());
      } catch (error) {
        reject(error);
      }
    }, ms);
    promise.then(resolve, reject).finally(() => limit.cancel());
  });
}

/** Warns about a problem that no caller is waiting to hear about. Never throws, never ends the process. */
export function warn(message: string): void {
  if (typeof process?.emitWarning === "function") process.emitWarning(message, "KvWarning");
  else console.warn(`KvWarning: ${message}`);
}
