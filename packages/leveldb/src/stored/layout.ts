/**
 * The stored layout, with `kv` standing for the option `prefix`. Keys are UTF-8 text, which LevelDB orders by bytes:
 *
 * - `!kv!m`: the version of the layout, see `revisions.ts`.
 * - `!kv!e` namespace NUL key: an entry, header and payload in one value, see `entry.ts`. The namespace is its id (every
 *   segment followed by `/`; the root's is empty) with NUL written `~2`, which no id holds; so the first NUL ends it,
 *   whatever the key holds. A namespace's entries lie together in the order of their keys, and its descendants' lie
 *   between the same bounds as its id.
 * - `!kv!x` time `-` number: keys that may expire from this time on, see `expiry-index.ts`.
 *
 * `!kv!` is what a sublevel of that name prefixes its keys with, so that no other sublevel can meet them.
 */
import { type Bounds, type Namespace, namespaceFromId } from "@kv/core";

/** Half-open, of keys as they are stored. */
export interface StoredBounds {
  readonly gte: string;
  readonly lt: string;
}

/** How many namespaces' prefixes are remembered. Programs have few, or one per tenant. */
const REMEMBERED = 10_000;

export class Layout {
  readonly meta: string;
  readonly entries: string;
  readonly deadlines: string;
  /** Everything that is ours. */
  readonly whole: StoredBounds;
  readonly #spaces = new Map<string, string>();
  #last: Namespace | undefined;
  #lastSpace = "";

  constructor(prefix: string) {
    this.meta = `!${prefix}!m`;
    this.entries = `!${prefix}!e`;
    this.deadlines = `!${prefix}!x`;
    this.whole = { gte: `!${prefix}!`, lt: `!${prefix}"` };
  }

  /** What stands before the keys of a namespace. */
  space(namespace: Namespace): string {
    if (namespace === this.#last) return this.#lastSpace;
    const { id } = namespace;
    let space = this.#spaces.get(id);
    if (space === undefined) {
      space = `${this.entries}${stored(id)}\0`;
      if (this.#spaces.size >= REMEMBERED) this.#spaces.clear();
      this.#spaces.set(id, space);
    }
    this.#last = namespace;
    this.#lastSpace = space;
    return space;
  }

  /** The entries of a namespace within bounds. */
  range(namespace: Namespace, { start, end }: Bounds): StoredBounds {
    const space = this.space(namespace);
    return {
      gte: space + start,
      lt: end === undefined ? `${this.entries}${stored(namespace.id)}\x01` : space + end,
    };
  }

  /** The entries of a namespace and of all below it. */
  tree({ id }: Namespace): StoredBounds {
    const within = this.entries + stored(id);
    return { gte: within, lt: id === "" ? this.entriesEnd : `${within.slice(0, -1)}0` };
  }

  /** Greater than every entry's key, and no greater than any other's. */
  get entriesEnd(): string {
    return `${this.entries.slice(0, -1)}f`;
  }

  /** The id of the namespace that an entry belongs to, and the entry's key. */
  parse(storedKey: string): { readonly namespaceId: string; readonly key: string } {
    const nul = storedKey.indexOf("\0", this.entries.length);
    return {
      namespaceId: storedKey.slice(this.entries.length, nul).replaceAll("~2", "\0"),
      key: storedKey.slice(nul + 1),
    };
  }

  namespaceOf(storedKey: string): Namespace {
    return namespaceFromId(this.parse(storedKey).namespaceId);
  }

  /** The first key that may belong to another namespace than this entry does. */
  afterNamespaceOf(storedKey: string): string {
    return `${storedKey.slice(0, storedKey.indexOf("\0", this.entries.length))}\x01`;
  }
}

function stored(id: string): string {
  return id.replaceAll("\0", "~2");
}
