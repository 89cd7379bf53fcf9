import type { Filter, Namespace, Policy } from "../../contract/adapter.ts";
import { inBounds } from "../../contract/key.ts";

/** The record of an entry that counts towards a bound: a link of a ring, in the order of use. */
export class Tracked {
  readonly namespace: Namespace;
  readonly key: string;
  /** Bytes of key and user metadata. */
  overhead = 0;
  /** Bytes of the payload. */
  payload = 0;
  policy: Policy = "persist";
  expiresAt: number | undefined;
  /** Incremented by every write, so that an intervening write can be detected. */
  writes = 0;
  older: Tracked = this;
  newer: Tracked = this;

  constructor(namespace: Namespace, key: string) {
    this.namespace = namespace;
    this.key = key;
  }

  get bytes(): number {
    return this.overhead + this.payload;
  }
}

/** The part of the record that a write sets. */
export type Known = Pick<Tracked, "overhead" | "payload" | "policy" | "expiresAt">;

/** The entries of all namespaces in the order of their last use, and their total size. */
export class Recency {
  readonly #byNamespace = new Map<string, Map<string, Tracked>>();
  /** Stands between the newest and the oldest. */
  readonly #ring = new Tracked({ path: [], id: "" }, "");
  entries = 0;
  bytes = 0;

  find(namespace: Namespace, key: string): Tracked | undefined {
    return this.#byNamespace.get(namespace.id)?.get(key);
  }

  /** Records the entry as the newest. */
  write(namespace: Namespace, key: string, known: Known): Tracked {
    const tracked = this.find(namespace, key) ?? this.#add(namespace, key);
    this.bytes -= tracked.bytes;
    Object.assign(tracked, known);
    this.bytes += tracked.bytes;
    tracked.writes++;
    this.use(tracked);
    return tracked;
  }

  /** Makes it the newest. */
  use(tracked: Tracked): void {
    unlink(tracked);
    const newest = this.#ring.older;
    tracked.older = newest;
    tracked.newer = this.#ring;
    newest.newer = tracked;
    this.#ring.older = tracked;
  }

  remove(tracked: Tracked): void {
    const { namespace, key } = tracked;
    const keys = this.#byNamespace.get(namespace.id);
    if (keys?.get(key) !== tracked) return;
    keys.delete(key);
    if (keys.size === 0) this.#byNamespace.delete(namespace.id);
    unlink(tracked);
    this.entries--;
    this.bytes -= tracked.bytes;
  }

  /** Removes the entries that a `clear` removes. */
  removeAll(namespace: Namespace, filter: Filter): void {
    for (const [id, keys] of [...this.#byNamespace]) {
      if (id !== namespace.id && !(filter.descendants && id.startsWith(namespace.id))) continue;
      for (const tracked of [...keys.values()]) {
        const within = filter.descendants || inBounds(tracked.key, filter);
        if (within && (filter.policy ?? tracked.policy) === tracked.policy) this.remove(tracked);
      }
    }
  }

  /** From the least recently used on. */
  *oldestFirst(): Generator<Tracked, void, undefined> {
    for (let tracked = this.#ring.newer; tracked !== this.#ring; tracked = tracked.newer) yield tracked;
  }

  #add(namespace: Namespace, key: string): Tracked {
    let keys = this.#byNamespace.get(namespace.id);
    if (keys === undefined) {
      keys = new Map();
      this.#byNamespace.set(namespace.id, keys);
    }
    const tracked = new Tracked(namespace, key);
    keys.set(key, tracked);
    this.entries++;
    return tracked;
  }
}

function unlink(tracked: Tracked): void {
  tracked.older.newer = tracked.newer;
  tracked.newer.older = tracked.older;
}
