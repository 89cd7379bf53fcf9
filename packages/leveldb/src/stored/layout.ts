/**
 * The stored layout, with `kv` standing for the option `prefix`. Keys are UTF-8 text, which LevelDB orders by bytes:
 *
 * - `!kv!m`: the version of the layout, see `revisions.ts`.
 * - `!kv!e` namespace NUL key: an entry, header and payload in one value, see `entry.ts`. The namespace is its id (every
 *   segment followed by `/`; the root's is empty), in which NUL is written as `~2`, a text that no id contains; so the first
 *   NUL ends it, whatever the key contains. A namespace's entries lie together in the order of their keys, and those of its
 *   descendants within the bounds of its id.
 * - `!kv!x` time `-` number: keys that may expire from this time on, see `expiry-index.ts`.
 *
 * `!kv!` is the prefix of a sublevel of that name, so the keys cannot collide with those of another sublevel.
 */
import { type Bounds, type Namespace, namespaceFromId } from "@kv/core";

/** A half-open range of stored keys. */
export interface StoredBounds {
  readonly gte: string;
  readonly lt: string;
}

/** How many namespaces' prefixes are remembered. Programs have few namespaces, or one per tenant. */
const REMEMBERED = 10_000;

export class Layout {
  readonly meta: string;
  readonly entries: string;
  readonly deadlines: string;
  /** All keys of the store. */
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

  /** The prefix of a namespace's keys. */
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

  /** Greater than every entry's key, and not greater than any other key behind them. */
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

  /** The first key behind the namespace of this entry. */
  afterNamespaceOf(storedKey: string): string {
    return `${storedKey.slice(0, storedKey.indexOf("\0", this.entries.length))}\x01`;
  }
}

function stored(id: string): string {
  return id.replaceAll("\0", "~2");
}
