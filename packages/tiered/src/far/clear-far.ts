import {
  type Adapter,
  type Filter,
  type Namespace,
  namespaceFromId,
  type Range,
  type Watchers,
} from "@kv/core";

/**
 * Clears the far tier and reports the removed keys to watchers. Nothing else is written meanwhile, so the removed keys are
 * those listed before. Keys are listed only in watched namespaces.
 */
export async function clearFar(
  far: Adapter,
  watchers: Watchers,
  namespace: Namespace,
  filter: Filter,
): Promise<number> {
  const concerned = watchers
    .namespaces()
    .filter((id) => (filter.descendants ? id.startsWith(namespace.id) : id === namespace.id));
  const removed = new Map<string, string[]>();
  for (const id of concerned) removed.set(id, await keysIn(far, namespaceFromId(id), filter));
  try {
    const count = await far.clear(namespace, filter);
    for (const [id, keys] of removed) {
      if (keys.length > 0) {
        watchers.publish(
          id,
          keys.map((key) => ({ type: "delete", key })),
        );
      }
    }
    return count;
  } catch (error) {
    // Some entries may have been removed.
    for (const id of concerned) watchers.publish(id, [{ type: "resync" }]);
    throw error;
  }
}

async function keysIn(far: Adapter, namespace: Namespace, filter: Filter): Promise<string[]> {
  const { policy, descendants } = filter;
  const bounds = descendants ? { start: "", end: undefined } : { start: filter.start, end: filter.end };
  const range: Range = {
    ...bounds,
    reverse: false,
    limit: Number.POSITIVE_INFINITY,
    keysOnly: policy === undefined,
  };
  const keys: string[] = [];
  for await (const page of far.scan(namespace, range)) {
    for (const entry of page) if (policy === undefined || entry.policy === policy) keys.push(entry.key);
  }
  return keys;
}
