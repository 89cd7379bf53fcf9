import type { Namespace } from "@kv/core";
import { Deadlines } from "./keyspace/deadlines.ts";
import type { Evictions } from "./limits/evictions.ts";
import type { Recency } from "./limits/recency.ts";
import type { MemoryEntry } from "./stored/entry.ts";
import { type Cell, Keyspace } from "./stored/keyspace.ts";
import type { Journal } from "./watch/journal.ts";

/** Everything in an adapter: the keyspaces, and across them the deadlines and (if there are limits) the order of use. */
export class Contents {
  readonly deadlines: Deadlines = new Deadlines();
  readonly recency: Recency | undefined;
  readonly journal: Journal;
  readonly #evictions: Evictions;
  readonly #keyspaces = new Map<string, Keyspace>();
  /** The keyspace used last, which is nearly always the one used next. */
  #current: Keyspace | undefined;

  constructor(recency: Recency | undefined, journal: Journal, evictions: Evictions) {
    this.recency = recency;
    this.journal = journal;
    this.#evictions = evictions;
  }

  keyspaces(): Iterable<Keyspace> {
    return this.#keyspaces.values();
  }

  find(namespace: Namespace): Keyspace | undefined {
    const current = this.#current;
    if (current !== undefined && (current.namespace === namespace || current.namespace.id === namespace.id))
      return current;
    const keyspace = this.#keyspaces.get(namespace.id);
    if (keyspace !== undefined) this.#turnTo(keyspace);
    return keyspace;
  }

  /** The namespace's keyspace, made if it does not exist. */
  open(namespace: Namespace): Keyspace {
    const found = this.find(namespace);
    if (found !== undefined) return found;
    const keyspace = new Keyspace(namespace);
    this.#keyspaces.set(namespace.id, keyspace);
    this.#turnTo(keyspace);
    return keyspace;
  }

  /** The key's cell if its entry is live. An expired one is removed. */
  live(keyspace: Keyspace, key: string, now: number): Cell | undefined {
    const cell = keyspace.get(key);
    if (cell === undefined || !cell.entry.isDue(now)) return cell;
    this.remove(cell, "expire");
    return undefined;
  }

  /** Stores an entry in its key's cell, or (`undefined`: the key is new) in a new one. */
  put(keyspace: Keyspace, existing: Cell | undefined, entry: MemoryEntry, change: "set" | "touch"): void {
    const before = existing?.entry;
    const cell = existing ?? keyspace.add(entry);
    if (existing !== undefined) keyspace.replace(existing, entry);
    if (entry.due !== undefined) this.deadlines.file(cell, entry.due);
    else if (cell.filed !== -1) this.deadlines.remove(cell);
    this.recency?.write(cell, before);
    if (this.journal.wants(keyspace.namespace)) {
      this.journal.note(keyspace.namespace, { type: change, key: entry.key, entry });
    }
  }

  remove(cell: Cell, change: "delete" | "expire"): void {
    cell.keyspace.order.delete(cell.key);
    this.forget(cell, change);
  }

  /** Removes a cell that its keyspace's order no longer has. */
  forget(cell: Cell, change: "delete" | "expire"): void {
    const { key, keyspace } = cell;
    keyspace.forget(cell);
    this.deadlines.remove(cell);
    this.recency?.remove(cell);
    if (this.journal.wants(keyspace.namespace)) this.journal.note(keyspace.namespace, { type: change, key });
    if (keyspace.size === 0 && keyspace !== this.#current) this.#drop(keyspace);
  }

  /** Removes a whole keyspace in one step. Returns `false` if it cannot, because its cells are filed, ranked or watched. */
  discard(keyspace: Keyspace): boolean {
    if (keyspace.expiring > 0 || this.recency !== undefined || this.journal.wants(keyspace.namespace))
      return false;
    if (keyspace === this.#current) this.#current = undefined;
    this.#drop(keyspace);
    return true;
  }

  /** Removes one due entry, or refiles one that is no longer due. Returns `"none"` if no entry is due. */
  reclaimOne(now: number): "removed" | "refiled" | "none" {
    const cell = this.deadlines.first(now);
    if (cell === undefined) return "none";
    if (cell.entry.isDue(now)) {
      this.remove(cell, "expire");
      return "removed";
    }
    this.deadlines.refileFirst();
    return "refiled";
  }

  /** Brings the contents back within the limits: removes expired entries first, then the least recently used. */
  evict(now: number): void {
    const { recency } = this;
    if (recency === undefined) return;
    for (let reason = recency.exceeded; reason !== undefined; reason = recency.exceeded) {
      if (this.reclaimOne(now) !== "none") continue;
      const { oldest } = recency;
      if (oldest === undefined) return;
      this.remove(oldest, "delete");
      this.#evictions.note(oldest.entry, reason);
    }
  }

  /** Calls watchers and `onEvict`. The last step of an operation, because a callback may begin the next one. */
  announce(): void {
    this.journal.publish();
    this.#evictions.tell();
  }

  /** Keeps an empty keyspace only while it is the current one, because namespaces may come and go by the million. */
  #turnTo(keyspace: Keyspace): void {
    const left = this.#current;
    this.#current = keyspace;
    if (left?.size === 0) this.#drop(left);
  }

  #drop(keyspace: Keyspace): void {
    this.#keyspaces.delete(keyspace.namespace.id);
  }
}
