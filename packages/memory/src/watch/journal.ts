import { type Bounds, type ChangeListener, type Namespace, type StoredChange, Watchers } from "@kv/core";

/** Collects the changes of watched namespaces while an operation runs, and reports them when it is done. */
export class Journal {
  readonly #watchers = new Watchers();
  /** In the order in which they took effect; consecutive changes of one namespace are grouped. */
  #pending: { readonly id: string; readonly changes: StoredChange[] }[] = [];

  watch(namespace: Namespace, bounds: Bounds, listener: ChangeListener): () => void {
    return this.#watchers.add(namespace, bounds, listener);
  }

  /** Whether the namespace is watched. Asked before a change is noted, so that none is made for nothing. */
  wants(namespace: Namespace): boolean {
    return this.#watchers.has(namespace.id);
  }

  note({ id }: Namespace, change: StoredChange): void {
    const last = this.#pending.at(-1);
    if (last?.id === id) last.changes.push(change);
    else this.#pending.push({ id, changes: [change] });
  }

  publish(): void {
    if (this.#pending.length === 0) return;
    // Listeners may call the adapter, and so call this again.
    const pending = this.#pending;
    this.#pending = [];
    for (const { id, changes } of pending) this.#watchers.publish(id, changes);
  }
}
