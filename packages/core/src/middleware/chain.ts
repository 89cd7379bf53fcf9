import type { MaybePromise } from "../adapter.ts";

/** Goes on with a result: at once where it is at hand. */
export function after<T, R>(result: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return result instanceof Promise ? result.then(next) : next(result);
}

/** Makes a call and deals with its failure, whether it is thrown or rejected. */
export function rescued<T>(
  run: () => MaybePromise<T>,
  failed: (error: unknown) => MaybePromise<T>,
): MaybePromise<T> {
  try {
    const result = run();
    return result instanceof Promise ? result.catch(failed) : result;
  } catch (error) {
    return failed(error);
  }
}

/** All results: at once where all of them are at hand. */
export function all<T>(results: readonly MaybePromise<T>[]): MaybePromise<T[]> {
  return results.some((result) => result instanceof Promise) ? Promise.all(results) : (results as T[]);
}
