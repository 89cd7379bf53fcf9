import type { MaybePromise, Pages } from "@kv/core";

/** Reads the next page; `undefined`: the end. If it throws, it may be called again. */
export type NextPage<T> = () => readonly T[] | undefined;

/** Pages that need no waiting. Each is read by a statement of its own when it is asked for: nothing stays open in between. */
export function* pagesNow<T>(begin: () => NextPage<T> | undefined): Generator<readonly T[]> {
  const next = begin();
  if (next === undefined) return;
  for (let page = next(); page !== undefined; page = next()) yield page;
}

/** Pages that may have to wait for a lock. */
export async function* pagesInTime<T>(
  begin: () => NextPage<T> | undefined,
  read: <R>(work: () => R) => MaybePromise<R>,
): AsyncGenerator<readonly T[]> {
  const next = await read(begin);
  if (next === undefined) return;
  for (;;) {
    const page = await read(next);
    if (page === undefined) return;
    yield page;
  }
}

/** `waits`: whether a writer keeps readers waiting, as in every journal mode but WAL. */
export function pagesOf<T>(
  begin: () => NextPage<T> | undefined,
  waits: boolean,
  read: <R>(work: () => R) => MaybePromise<R>,
): Pages<T> {
  return waits ? pagesInTime(begin, read) : pagesNow(begin);
}
