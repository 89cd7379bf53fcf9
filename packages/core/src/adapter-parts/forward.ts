import type { Adapter } from "../contract/adapter.ts";

/**
 * An adapter that passes every call on to another one, except those that are replaced: the basis of every middleware. A
 * synchronous answer stays synchronous. It can watch if `inner` can.
 */
export function forward(inner: Adapter, replaced: Partial<Adapter> = {}): Adapter {
  const forwarding: Adapter = {
    name: inner.name,
    form: inner.form,
    capabilities: inner.capabilities,
    batch: inner.batch,
    clock: () => inner.clock(),
    open: () => inner.open(),
    close: () => inner.close(),
    read: (namespace, keys, payloadsOnly) => inner.read(namespace, keys, payloadsOnly),
    commit: (namespace, commits) => inner.commit(namespace, commits),
    scan: (namespace, range) => inner.scan(namespace, range),
    count: (namespace, bounds) => inner.count(namespace, bounds),
    clear: (namespace, filter) => inner.clear(namespace, filter),
    namespaces: (under) => inner.namespaces(under),
    stats: (namespace, bounds) => inner.stats(namespace, bounds),
    sweep: () => inner.sweep(),
    errorCode: (error) => inner.errorCode(error),
  };
  const watch = inner.watch?.bind(inner);
  const { native } = inner;
  const syncClock = inner.syncClock?.bind(inner);
  return Object.assign(
    forwarding,
    watch === undefined ? undefined : { watch },
    native === undefined ? undefined : { native },
    syncClock === undefined ? undefined : { syncClock },
    replaced,
  );
}
