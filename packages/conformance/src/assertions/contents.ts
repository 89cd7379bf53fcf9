import type { StoreReader } from "@kv/core";

/** All items of an iterable. */
export async function collect<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of iterable) items.push(item);
  return items;
}

/** Every key and value of a view, to compare before and after. */
export async function contents(store: StoreReader): Promise<[key: string, value: unknown][]> {
  const items: [string, unknown][] = [];
  for await (const { key, value } of store.entries()) items.push([key, value]);
  return items;
}

/** Sets each key to its position in the list. */
export async function fill(store: Filled, keys: readonly string[]): Promise<void> {
  await store.setMany(keys.map((key, position) => [key, position]));
}

interface Filled {
  setMany(entries: Iterable<readonly [key: string, value: unknown]>): Promise<unknown>;
}
