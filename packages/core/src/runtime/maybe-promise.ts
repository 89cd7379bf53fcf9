import type { MaybePromise } from "../contract/adapter.ts";
import { isPromise } from "../contract/any-realm.ts";

/** Continues with a result: synchronously if it is not a promise. */
export function after<T, R>(result: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return isPromise(result) ? result.then(next) : next(result);
}

/** Makes a call and handles its failure, thrown or rejected. */
export function rescued<T>(
  run: () => MaybePromise<T>,
  failed: (error: unknown) => MaybePromise<T>,
): MaybePromise<T> {
  try {
    const result = run();
    return isPromise(result) ? result.catch(failed) : result;
  } catch (error) {
    return failed(error);
  }
}

/** Maps all items: synchronously if no result is a promise. */
export function all<I, T>(items: readonly I[], make: (item: I) => MaybePromise<T>): MaybePromise<T[]> {
  const results: MaybePromise<T>[] = [];
  let late = false;
  try {
    for (const item of items) {
      const result = make(item);
      late ||= isPromise(result);
      results.push(result);
    }
  } catch (error) {
    // Calls that were begun may fail, too, and no caller waits for them any more.
    for (const result of results) if (isPromise(result)) result.catch(() => undefined);
    throw error;
  }
  return late ? Promise.all(results) : (results as T[]);
}
