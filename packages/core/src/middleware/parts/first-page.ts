import { pageIterator } from "../../adapter-parts/answers.ts";
import type { Pages } from "../../contract/adapter.ts";

/** Pages whose first one has been read, so that beginning them can no longer fail. */
export interface BegunPages<T> {
  readonly iterator: ReturnType<typeof pageIterator<T>>;
  readonly first: IteratorResult<readonly T[], unknown>;
}

export async function begunPages<T>(pages: Pages<T>): Promise<BegunPages<T>> {
  const iterator = pageIterator(pages);
  try {
    return { iterator, first: await iterator.next() };
  } catch (error) {
    // Not awaited: an iterator that failed to begin may also fail to end.
    Promise.resolve(iterator.return?.()).catch(() => undefined);
    throw error;
  }
}

export async function* remainingPages<T>({
  iterator,
  first,
}: BegunPages<T>): AsyncGenerator<readonly T[], void, undefined> {
  try {
    for (let step = first; step.done !== true; step = await iterator.next()) yield step.value;
  } finally {
    await iterator.return?.();
  }
}
