import type { StoreReader } from "@kv/core";

/** All of an iterable. */
export async function collect<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of iterable) items.push(item);
  return items;
}

/** Everything a view holds, to compare before and after. */
export async function contents(store: StoreReader): Promise<[key: string, value: unknown][]> {
  const items: [string, unknown][] = [];
  for await (const { key, value } of store.entries()) items.push([key, value]);
  return items;
}

/** Asserts nothing by itself: sets a few keys to their own positions. */
export async function fill(store: Filled, keys: readonly string[]): Promise<void> {
  await store.setMany(keys.map((key, position) => [key, position]));
}

interface Filled {
  setMany(entries: Iterable<readonly [key: string, value: unknown]>): Promise<unknown>;
}
