/*
 * Where things live, `kv:` being the prefix and `a1b2/tenant/` the tag of a namespace (of a partition of it):
 *
 *   kv:{a1b2/tenant/}:user:1   string  the entry: 61 bytes of metadata, then the payload (`entry.ts`); with its PXAT
 *   kv:{a1b2/tenant/}keys      zset    every key, score 0: in byte order, which ZRANGEBYLEX pages through
 *   kv:{a1b2/tenant/}due       zset    the keys with a deadline, and when to look at them: then, or some time before
 *   kv:{a1b2/tenant/}evict     zset    the keys with the policy "evict", score 0: what clearCache removes
 *   kv:{a1b2/tenant/}state     string  whether it is listed, whether some entry is large, until when there are watchers
 *   kv:{a1b2/tenant/}seq       string  the number of messages about changes so far
 *   kv:{a1b2/tenant/}t…        string  a large value on its way into its entry; gone within a minute
 *   kv:{a1b2}namespaces        hash    the tags of all namespaces that may hold entries
 *   kv:{a1b2}layout            string  the options that all stores over these data must share: partitions, index
 *
 * An entry is one string, so that no reader ever sees the value of one write with the metadata of another, and neither
 * expiry nor the server's own eviction separates them. An entry and its index change in one script. Both are in the same
 * slot of a Cluster, which the text between the braces determines: the first four digits of the prefix's hash (so that the
 * same namespace of two stores may be on two nodes), the partition if there are several, and the namespace's id with its
 * braces escaped. An ordered store never matches patterns against names; an unordered
 * one escapes the prefix in them.
 *
 * A deadline that is postponed stays where it was in `due`: moving it would cost as much as the rest of the write. The
 * `Collector` later reads the entry's real deadline and enters that.
 */

import { createHash } from "node:crypto";
import { type Namespace, namespaceFromId } from "@kv/core";

/** One slot's worth of a namespace. */
export interface Space {
  readonly tag: string;
  /** The beginning of entries' names. */
  readonly entries: string;
  /** Where the key begins in the name of an entry, counted in bytes from one, as Lua does. */
  readonly keyOffset: string;
  readonly keys: string;
  readonly due: string;
  readonly evict: string;
  readonly seq: string;
  readonly state: string;
  /** The beginning of the names of values in transit. */
  readonly transit: string;
  readonly channel: string;
}

export interface LayoutOptions {
  readonly prefix: string;
  readonly partitions: number;
  readonly ordered: boolean;
  /** The number of the database: channels, unlike keys, are shared by all databases. */
  readonly db: number;
}

/** How many namespaces are cached. Recomputing one costs little. */
const REMEMBERED = 4096;

export class Layout {
  readonly partitions: number;
  readonly ordered: boolean;
  /** The hash of all tags. */
  readonly list: string;
  /** The name of the descriptor, which records how the data are laid out. */
  readonly descriptor: string;
  /** The beginning of the names of all entries. */
  readonly everything: string;
  /** The descriptor's text for this layout. */
  readonly description: string;
  readonly #prefix: string;
  readonly #hash: string;
  readonly #db: number;
  readonly #spaces = new Map<string, readonly Space[]>();

  constructor({ prefix, partitions, ordered, db }: LayoutOptions) {
    this.partitions = partitions;
    this.ordered = ordered;
    this.#prefix = prefix;
    this.#db = db;
    this.#hash = createHash("sha1").update(prefix).digest("hex").slice(0, 4);
    this.everything = `${prefix}{${this.#hash}`;
    this.list = `${prefix}{${this.#hash}}namespaces`;
    this.descriptor = `${prefix}{${this.#hash}}layout`;
    this.description = `1 partitions=${partitions} ordered=${ordered}`;
  }

  /** All partitions of a namespace. */
  spaces({ id }: Namespace): readonly Space[] {
    let spaces = this.#spaces.get(id);
    if (spaces === undefined) {
      if (this.#spaces.size >= REMEMBERED) this.#spaces.clear();
      spaces = Array.from({ length: this.partitions }, (_, partition) => this.#space(id, partition));
      this.#spaces.set(id, spaces);
    }
    return spaces;
  }

  /** The partition that a key is in: keys with the same text between their first braces are together, as in a Cluster. */
  partitionOf(key: string): number {
    return this.partitions === 1 ? 0 : hash(deciding(key)) % this.partitions;
  }

  /** The space with this tag, and its namespace; `undefined`: the tag does not belong to this layout. */
  find(tag: string): { space: Space; namespace: Namespace } | undefined {
    const slash = tag.indexOf("/");
    const [, partition = "0"] = tag.slice(0, slash).split(".");
    const namespace = namespaceFromId(unescaped(tag.slice(slash + 1)));
    const space = this.spaces(namespace)[Number(partition)];
    return space?.tag === tag ? { space, namespace } : undefined;
  }

  /** The tag in the name of an entry; `undefined`: the name is not an entry's. */
  tagOf(name: string): string | undefined {
    const end = name.indexOf("}", this.#prefix.length);
    return name[end + 1] === ":" ? name.slice(this.#prefix.length + 1, end) : undefined;
  }

  #space(id: string, partition: number): Space {
    const part = this.partitions === 1 ? "" : `.${partition}`;
    const tag = `${this.#hash}${part}/${escaped(id)}`;
    const base = `${this.#prefix}{${tag}}`;
    const entries = `${base}:`;
    return {
      tag,
      entries,
      keyOffset: String(Buffer.byteLength(entries) + 1),
      keys: `${base}keys`,
      due: `${base}due`,
      evict: `${base}evict`,
      seq: `${base}seq`,
      state: `${base}state`,
      transit: `${base}t`,
      channel: `${base}changes@${this.#db}`,
    };
  }
}

/** The part of a name that decides its slot, by Redis's own rule: unclosed or empty braces are plain text. */
function deciding(key: string): string {
  const open = key.indexOf("{");
  if (open === -1) return key;
  const close = key.indexOf("}", open + 1);
  return close <= open + 1 ? key : key.slice(open + 1, close);
}

/** A namespace's id has `~` only before 0 and 1. */
function escaped(id: string): string {
  return id.replaceAll("{", "~2").replaceAll("}", "~3");
}

function unescaped(tag: string): string {
  return tag.replaceAll("~3", "}").replaceAll("~2", "{");
}

/** FNV-1a of the UTF-16 units, mixed once more: data outlive versions, so this may never change. */
function hash(key: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    h = Math.imul(h ^ (unit & 0xff), 0x01000193);
    h = Math.imul(h ^ (unit >>> 8), 0x01000193);
  }
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 0;
}
