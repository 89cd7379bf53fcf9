/** All of an iterable, each as `map` makes it. */
export async function collected<T>(iterable: AsyncIterable<T> | Iterable<T>): Promise<T[]>;
export async function collected<T, R>(
  iterable: AsyncIterable<T> | Iterable<T>,
  map: (one: T) => R,
): Promise<R[]>;
export async function collected(
  iterable: AsyncIterable<unknown> | Iterable<unknown>,
  map: (one: unknown) => unknown = (one) => one,
): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const one of iterable) all.push(map(one));
  return all;
}
