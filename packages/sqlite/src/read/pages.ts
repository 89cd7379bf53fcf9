import type { MaybePromise, Pages } from "@kv/core";

/** Reads the next page; `undefined`: there is none. Where it throws, it may be called again. */
export type NextPage<T> = () => readonly T[] | undefined;

/** Pages that are at hand. The next statement is made when the next one is asked for: nothing stays open in between. */
export function* pagesNow<T>(begin: () => NextPage<T> | undefined): Generator<readonly T[]> {
  const next = begin();
  if (next === undefined) return;
  for (let page = next(); page !== undefined; page = next()) yield page;
}

/** Pages for which one may have to wait. */
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

/** What reads a database in which a writer keeps readers waiting, as every journal but the write-ahead log has it. */
export function pagesOf<T>(
  begin: () => NextPage<T> | undefined,
  waits: boolean,
  read: <R>(work: () => R) => MaybePromise<R>,
): Pages<T> {
  return waits ? pagesInTime(begin, read) : pagesNow(begin);
}
