/*
 * A history is linearizable if its part for each object is (locality; Herlihy and Wing, 1990), and many small
 * histories are checked faster than a large one (Horn and Kroening, "Faster linearizability checking via
 * P-compositionality", 2015). Keys that some operation touches together are one object.
 */

/** Splits operations into parts with no key in common, each in the order given. Those without keys are one part. */
export function independent<T>(operations: readonly T[], keysOf: (operation: T) => readonly string[]): T[][] {
  const parents = new Map<string, string>();
  const rootOf = (key: string): string => {
    let root = key;
    for (let parent = parents.get(root); parent !== undefined; parent = parents.get(root)) root = parent;
    return root;
  };
  for (const operation of operations) {
    const [first, ...others] = keysOf(operation);
    if (first === undefined) continue;
    for (const key of others) {
      const [a, b] = [rootOf(first), rootOf(key)];
      if (a !== b) parents.set(b, a);
    }
  }
  const parts = Map.groupBy(operations, (operation) => rootOf(keysOf(operation)[0] ?? ""));
  return [...parts.values()];
}
