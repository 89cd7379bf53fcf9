import type { Bounds, ChangeListener, Namespace, StoredChange } from "../contract/adapter.ts";
import { inBounds } from "../contract/key.ts";

interface Watcher {
  readonly bounds: Bounds;
  readonly listener: ChangeListener;
}

/** The watchers and their bounds: the part of `Adapter.watch` that is the same for every adapter which knows its changes itself. */
export class Watchers {
  readonly #byNamespace = new Map<string, Set<Watcher>>();

  /** How many watchers there are, in all namespaces. */
  get size(): number {
    let size = 0;
    for (const watchers of this.#byNamespace.values()) size += watchers.size;
    return size;
  }

  /** Returns a function that ends the watch; idempotent. */
  add(namespace: Namespace, bounds: Bounds, listener: ChangeListener): () => void {
    const { id } = namespace;
    const watcher: Watcher = { bounds, listener };
    let watchers = this.#byNamespace.get(id);
    if (watchers === undefined) {
      watchers = new Set();
      this.#byNamespace.set(id, watchers);
    }
    watchers.add(watcher);
    return () => {
      const current = this.#byNamespace.get(id);
      if (current?.delete(watcher) && current.size === 0) this.#byNamespace.delete(id);
    };
  }

  /** Whether the namespace has a watcher. Asked before changes are gathered, since that is needless without one. */
  has(namespaceId: string): boolean {
    return this.#byNamespace.has(namespaceId);
  }

  /** The ids of the watched namespaces. */
  namespaces(): string[] {
    return [...this.#byNamespace.keys()];
  }

  /** Reports to each watcher the changes within its bounds. */
  publish(namespaceId: string, changes: readonly StoredChange[]): void {
    for (const { bounds, listener } of this.#byNamespace.get(namespaceId) ?? []) {
      const theirs = changes.filter((change) => change.type === "resync" || inBounds(change.key, bounds));
      if (theirs.length > 0) listener(theirs);
    }
  }

  /** Reports to every watcher that changes may have been missed. */
  resync(): void {
    for (const id of this.namespaces()) this.publish(id, [{ type: "resync" }]);
  }
}
