import type { Adapter, Bounds, ChangeListener, MaybePromise, Namespace } from "@kv/core";

/** An adapter that passes everything on to another one, except what is replaced. */
export function forward(inner: Adapter, replaced: Partial<Adapter> = {}): Adapter {
  const forwarding: Adapter = {
    name: inner.name,
    form: inner.form,
    capabilities: inner.capabilities,
    batch: inner.batch,
    clock: inner.clock,
    open: () => inner.open(),
    close: () => inner.close(),
    read: (namespace, keys) => inner.read(namespace, keys),
    commit: (namespace, commits) => inner.commit(namespace, commits),
    scan: (namespace, range) => inner.scan(namespace, range),
    count: (namespace, bounds) => inner.count(namespace, bounds),
    clear: (namespace, filter) => inner.clear(namespace, filter),
    namespaces: (under) => inner.namespaces(under),
    stats: (namespace, bounds) => inner.stats(namespace, bounds),
    sweep: () => inner.sweep(),
    errorCode: (error) => inner.errorCode(error),
  };
  return Object.assign(forwarding, watchOf(inner), replaced);
}

function watchOf(inner: Adapter): Pick<Adapter, "watch"> {
  if (inner.watch === undefined) return {};
  const watch = inner.watch.bind(inner);
  return {
    watch: (namespace: Namespace, bounds: Bounds, listener: ChangeListener): MaybePromise<() => void> =>
      watch(namespace, bounds, listener),
  };
}
