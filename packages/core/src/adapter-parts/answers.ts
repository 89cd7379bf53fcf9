import type { CommitResult, Pages } from "../contract/adapter.ts";

/** The result of the commit at place `i`. @throws TypeError if the adapter returned too few results */
export function resultAt(results: readonly CommitResult[], i: number): CommitResult {
  const result = results[i];
  if (result === undefined)
    throw new TypeError("the adapter answered with fewer results than there were commits");
  return result;
}

/** The iterator behind pages, synchronous or not. */
export function pageIterator<T>(pages: Pages<T>): Iterator<readonly T[]> | AsyncIterator<readonly T[]> {
  return Symbol.iterator in pages ? pages[Symbol.iterator]() : pages[Symbol.asyncIterator]();
}
