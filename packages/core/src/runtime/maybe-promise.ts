import type { MaybePromise } from "../contract/adapter.ts";
import { isPromise } from "../contract/any-realm.ts";

/** Goes on with a result: at once where it is at hand. */
export function after<T, R>(result: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return isPromise(result) ? result.then(next) : next(result);
}

/** Makes a call and deals with its failure, whether it is thrown or rejected. */
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

/** What is made of all items: at once where all of it is at hand. */
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
    // What was begun may fail, too, and by then nobody waits for it.
    for (const result of results) if (isPromise(result)) result.catch(() => undefined);
    throw error;
  }
  return late ? Promise.all(results) : (results as T[]);
}
