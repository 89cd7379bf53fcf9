/** What differs among Node, Bun, Deno and browsers. */

interface Host {
  readonly process?: {
    nextTick?(callback: () => void): void;
    emitWarning?(message: string, type: string): void;
  };
  setImmediate?(callback: () => void): unknown;
}

const host: Host = globalThis as unknown as Host;
const { process } = host;

/**
 * Runs the callback when everything that the current tick set going has made its calls. `process.nextTick` runs after
 * the microtasks that are queued, so that a hundred workers woken by one batch are gathered into the next one.
 */
export const endOfTick: (callback: () => void) => void =
  typeof process?.nextTick === "function"
    ? process.nextTick.bind(process)
    : (callback) => {
        // Two hops let the continuations of this microtask's siblings go first.
        queueMicrotask(() => queueMicrotask(callback));
      };

/** Runs the callback after the event loop has had a turn: timers, input and output go first. */
export const nextTurn: (callback: () => void) => void =
  typeof host.setImmediate === "function"
    ? (callback) => void host.setImmediate?.(callback)
    : (callback) => void setTimeout(callback, 0);

/** Milliseconds since some moment; never set back. Taken at import: a test's fake clock is not the one that time passes by. */
export const monotonicNow: () => number = performance.now.bind(performance);

/** Timers hold 31 bits: longer ones would fire at once. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

/** A timer that does not keep the process alive by itself. */
export function backgroundInterval(callback: () => void, ms: number): () => void {
  const timer: unknown = setInterval(callback, Math.min(ms, MAX_TIMER_MS));
  if (typeof timer === "object" && timer !== null && "unref" in timer && typeof timer.unref === "function")
    timer.unref();
  return () => clearInterval(timer as Parameters<typeof clearInterval>[0]);
}

/** A timer that keeps the process alive only while it is held, as it is at first. */
export interface Timer {
  hold(held: boolean): void;
}

export function timer(callback: () => void, ms: number): Timer {
  const handle: unknown = setTimeout(callback, ms);
  const refs =
    typeof handle === "object" && handle !== null ? (handle as { ref?(): void; unref?(): void }) : {};
  return { hold: (held) => (held ? refs.ref?.() : refs.unref?.()) };
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Tells the developer of something that no caller is there to be told of. Never throws, never ends the process. */
export function warn(message: string): void {
  if (typeof process?.emitWarning === "function") process.emitWarning(message, "KvWarning");
  else console.warn(`KvWarning: ${message}`);
}
