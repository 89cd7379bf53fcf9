import { compareKeys, Refusal, refuseUnknownOptions, type StoreReader } from "@kv/core";
import { DIRECTIONS, type Direction, MAX_DEPTH } from "../links/link-queries.ts";
import type { Ends } from "../links/link-store.ts";
import { nativeBackend } from "./native-backend.ts";

export interface RelatedOptions {
  /** Only links of this type or these types. Default: any type. */
  readonly type?: string | readonly string[] | undefined;
  /** `"out"`: links from the entry; `"in"`: links to it; `"any"`: both. Default: `"out"`. */
  readonly direction?: Direction | undefined;
  /** The most links between two related entries: 1 to 10. Default: 1. */
  readonly depth?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An entry that is related to another one. */
export interface Related {
  readonly key: string;
  /** The least number of links between the two entries. */
  readonly depth: number;
}

/**
 * Links between the entries of one view. A link has a type, and leads from one entry to another. It belongs to the entries: if
 * one of them is deleted, cleared or expires, the link is gone at once, and does not return with a new entry of the same key.
 * A `set` of an existing entry keeps its links.
 */
export interface Links {
  /** Links two entries. Returns whether both exist; otherwise nothing is linked. Linking again changes nothing. */
  link(from: string, type: string, to: string): Promise<boolean>;
  /** Links many pairs `[from, type, to]` in one request. Returns for each whether both entries exist. */
  linkMany(links: Iterable<readonly [from: string, type: string, to: string]>): Promise<boolean[]>;
  /** Removes a link. Returns whether it existed. */
  unlink(from: string, type: string, to: string): Promise<boolean>;
  /** The entries related to an entry, the nearest first, then by key; each once, and never the entry itself. */
  related(key: string, options?: RelatedOptions): Promise<Related[]>;
}

const OPTIONS: ReadonlySet<string> = new Set(["type", "direction", "depth", "signal"]);

/**
 * The links between the entries of a store over `arangodb()`. Their collection is created on first use.
 * @throws KvError `KV_UNSUPPORTED` if the store is over another adapter
 */
export function links<V>(store: StoreReader<V>): Links {
  const { access, adapter } = nativeBackend(store as StoreReader, "links");
  const { namespace, prefix } = access;
  // Half-open, like a scope's keys: everything that begins with the prefix, which ends with a colon.
  const bounds = { start: prefix, end: prefix === "" ? undefined : `${prefix.slice(0, -1)};` };
  const linkAll = async (operation: string, wanted: Iterable<Ends>): Promise<readonly boolean[]> => {
    const all = endsIn(wanted);
    if (all === undefined) {
      const message = "linkMany needs an array or another iterable of tuples [from, type, to]";
      throw access.error(new Refusal("KV_INVALID_OPTION", message), operation);
    }
    const keys = all.flatMap(([from, , to]) => [from, to]);
    return access.run({ operation, keys, writes: true }, async (stored) => {
      const ends = all.map(
        ([, type], i): Ends => [stored[2 * i] ?? "", typeOf(type), stored[2 * i + 1] ?? ""],
      );
      return ends.length === 0 ? [] : (await adapter.session.links()).link(namespace, ends);
    });
  };
  return {
    link: async (from, type, to) => (await linkAll("link", [[from, type, to]]))[0] ?? false,
    linkMany: async (wanted) => [...(await linkAll("linkMany", wanted))],
    unlink: (from, type, to) =>
      access.run({ operation: "unlink", keys: [from, to], writes: true }, async ([start = "", end = ""]) =>
        (await adapter.session.links()).unlink(namespace, start, typeOf(type), end),
      ),
    related: (key, options) =>
      access.run(
        { operation: "related", keys: [key], writes: false, signal: signalIn(options) },
        async ([start = ""]) => {
          const search = searchOf(options);
          const store = await adapter.session.links();
          const levels = await store.related(namespace, bounds, start, search);
          return levels.flatMap((keys, i) =>
            keys.toSorted(compareKeys).map((found) => ({ key: found.slice(prefix.length), depth: i + 1 })),
          );
        },
      ),
  };
}

/** The links; `undefined`: the argument is not an iterable of links. */
function endsIn(wanted: unknown): Ends[] | undefined {
  if (typeof wanted !== "object" || wanted === null || !(Symbol.iterator in wanted)) return undefined;
  const all = [...(wanted as Iterable<unknown>)];
  return all.every((ends): ends is Ends => Array.isArray(ends) && ends.length === 3) ? all : undefined;
}

function signalIn(options: RelatedOptions | undefined): AbortSignal | undefined {
  return typeof options === "object" && options !== null ? options.signal : undefined;
}

/** @throws Refusal `KV_INVALID_OPTION` */
function searchOf(options: RelatedOptions | undefined): {
  readonly types: readonly string[] | undefined;
  readonly direction: Direction;
  readonly depth: number;
} {
  refuseUnknownOptions(options, OPTIONS, "related");
  const { type, direction = "out", depth = 1 } = options ?? {};
  const types = type === undefined ? undefined : typeof type === "string" ? [type] : type;
  if (types !== undefined && !(Array.isArray(types) && types.every(isType)))
    throw new Refusal(
      "KV_INVALID_OPTION",
      "the option type of related must be a non-empty string, or a list of them",
    );
  if (!DIRECTIONS.includes(direction))
    throw new Refusal("KV_INVALID_OPTION", 'the option direction of related must be "out", "in" or "any"');
  if (!Number.isInteger(depth) || depth < 1 || depth > MAX_DEPTH)
    throw new Refusal(
      "KV_INVALID_OPTION",
      `the option depth of related must be an integer from 1 to ${MAX_DEPTH}`,
    );
  return { types, direction, depth };
}

/** @throws Refusal `KV_INVALID_OPTION` */
function typeOf(type: unknown): string {
  if (isType(type)) return type;
  throw new Refusal("KV_INVALID_OPTION", "the type of a link must be a non-empty string");
}

function isType(type: unknown): type is string {
  return typeof type === "string" && type !== "" && type.isWellFormed();
}
