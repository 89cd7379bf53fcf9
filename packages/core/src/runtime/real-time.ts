/**
 * The host's own timers and clocks, captured when this module is loaded: a test that installs fake ones must not stop
 * the pauses of a store.
 *
 * If the fakes were installed before that, it works around them: `AbortSignal.timeout` counts real time, promises run
 * real microtasks, and an `Event` is stamped by the real clock.
 */

interface Host {
  readonly process?: { readonly nextTick?: (callback: () => void) => void };
  readonly setTimeout: (callback: () => void, ms: number) => unknown;
  readonly clearTimeout: (handle: unknown) => void;
  readonly setImmediate?: (callback: () => void) => unknown;
  readonly performance: { readonly now: () => number };
}

const host: Host = globalThis as unknown as Host;

/** Marks of @sinonjs/fake-timers (which vitest and Jest use) and of a mock function of Jest. */
const MARKS = ["clock", "_isMockFunction"] as const;

/** Whether a function is the host's own. The mock timers of `node:test` are bound functions, recognised by their names. */
function isReal<F extends (...args: never[]) => unknown>(fn: F | undefined, name: string): fn is F {
  return typeof fn === "function" && fn.name === name && !MARKS.some((mark) => mark in fn);
}

/** A timer that has not fired: `ref` and `unref` set whether it keeps the process alive, on hosts that support that. */
export interface RawTimer {
  readonly cancel: () => void;
  readonly ref: () => void;
  readonly unref: () => void;
}

const { setTimeout: realSetTimeout, clearTimeout: realClearTimeout } = host;

interface Refs {
  ref?(): void;
  unref?(): void;
}

function hostTimer(callback: () => void, ms: number): RawTimer {
  const handle = realSetTimeout.call(globalThis, callback, ms);
  const refs: Refs = typeof handle === "object" && handle !== null ? handle : {};
  return {
    cancel: () => realClearTimeout.call(globalThis, handle),
    ref: () => refs.ref?.(),
    unref: () => refs.unref?.(),
  };
}

/** It does not keep the process alive: where fakes are installed, the test runner does. */
function signalTimer(callback: () => void, ms: number): RawTimer {
  const signal = AbortSignal.timeout(Math.ceil(ms));
  signal.addEventListener("abort", callback, { once: true });
  return {
    cancel: () => signal.removeEventListener("abort", callback),
    ref: () => undefined,
    unref: () => undefined,
  };
}

const timersAreReal = isReal(realSetTimeout, "setTimeout") && isReal(realClearTimeout, "clearTimeout");

/** Calls back once, after `ms` milliseconds, which must fit 31 bits: see `timer` for any length. */
export const rawTimer: (callback: () => void, ms: number) => RawTimer =
  timersAreReal || typeof AbortSignal.timeout !== "function" ? hostTimer : signalTimer;

const { setImmediate } = host;

/** Runs the callback after the event loop has had a turn: timers, input and output go first. */
export const nextTurn: (callback: () => void) => void = isReal(setImmediate, "setImmediate")
  ? (callback) => void setImmediate.call(globalThis, callback)
  : (callback) => void rawTimer(callback, 0);

const nextTick = host.process?.nextTick;

/**
 * Runs the callback after the calls of all code that the current tick resumed. `process.nextTick` runs after
 * the microtasks that are queued, so that a hundred workers woken by one batch are gathered into the next one.
 */
export const endOfTick: (callback: () => void) => void = isReal(nextTick, "nextTick")
  ? nextTick.bind(host.process)
  : (callback) => {
      // Two hops let the continuations of this microtask's siblings go first. A promise of `undefined` never rejects.
      const run = Promise.resolve().then(() => undefined);
      void run.then(callback);
    };

const { performance } = host;

/** Milliseconds since an arbitrary moment: never set, and never a fake clock's. */
export const monotonicNow: () => number =
  isReal(performance.now, "now") && !("clock" in performance)
    ? performance.now.bind(performance)
    : () => new Event("now").timeStamp;

/** Milliseconds since 1970 by this machine's clock, never a fake one. A new `File` is stamped by it. */
export const wallNow: () => number =
  isReal(Date.now, "now") && !("clock" in Date)
    ? Date.now.bind(Date)
    : () => new File([], "now").lastModified;
