import { isAbortSignal } from "../contract/any-realm.ts";
import { Refusal } from "../contract/errors.ts";
import type { SignalOptions } from "../contract/store.ts";
import { refuseUnknownOptions } from "./unknown-options.ts";

const SIGNAL: ReadonlySet<string> = new Set(["signal"]);

/** The signal of options that have nothing else. @throws Refusal `KV_INVALID_OPTION`, `KV_ABORTED` */
export function signalOf(options: SignalOptions | undefined, of: string): AbortSignal | undefined {
  if (options === undefined) return undefined;
  refuseUnknownOptions(options, SIGNAL, of);
  refuseAborted(options.signal);
  return options.signal;
}

/** @throws Refusal `KV_INVALID_OPTION` if it is not a signal, `KV_ABORTED` if it is aborted already */
export function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  if (!isAbortSignal(signal)) throw new Refusal("KV_INVALID_OPTION", "signal must be an AbortSignal");
  if (signal.aborted) throw aborted(signal);
}

/** The promise, or a rejection with `KV_ABORTED` as soon as the signal is aborted. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(aborted(signal));
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

export function aborted(signal: AbortSignal): Refusal {
  return new Refusal("KV_ABORTED", "the signal was aborted", { cause: signal.reason });
}
