import type { Bounds, Namespace } from "@kv/core";
import { Patience, type PatienceOptions, untilUndisturbed } from "../connection/back-off.ts";
import type { BindVars, Query } from "../connection/query.ts";
import { openLinks } from "../connection/schema.ts";
import type { Server } from "../connection/server.ts";
import { writeFailure } from "../errors.ts";
import { orderedBounds } from "../read/scanner.ts";
import { documentKey, linkKey, ordered } from "../stored/keys.ts";
import type { Layout } from "../stored/layout.ts";
import { COLLECT_LINKS, type Direction, LINKS, RELATED } from "./link-queries.ts";

/** How many links a sweep examines; the next one continues with the others. */
const PAGE = 1000;

/** A link's start, type and end. */
export type Ends = readonly [from: string, type: string, to: string];

export interface LinkOptions extends PatienceOptions {
  readonly durability: "full" | "normal";
}

export interface Search {
  readonly types: readonly string[] | undefined;
  readonly direction: Direction;
  readonly depth: number;
}

/** The collection of links. */
export class LinkStore {
  readonly #server: Server;
  readonly #layout: Layout;
  readonly #options: LinkOptions;
  /** Where the next search for dead links begins. */
  #place = "";

  private constructor(server: Server, layout: Layout, options: LinkOptions) {
    this.#server = server;
    this.#layout = layout;
    this.#options = options;
  }

  static async open(server: Server, layout: Layout, options: LinkOptions): Promise<LinkStore> {
    await openLinks(server, layout);
    return new LinkStore(server, layout, options);
  }

  /** Returns for each link whether both entries exist. */
  async link(namespace: Namespace, wanted: readonly Ends[]): Promise<readonly boolean[]> {
    const docs = wanted.map(([from, type, to]) => {
      const ends = { from: documentKey(namespace.id, from), to: documentKey(namespace.id, to) };
      const _key = linkKey(ends.from, type, ends.to);
      return { _key, k: ordered(_key), type, ...ends };
    });
    // The same link twice is one document.
    const distinct = new Map(docs.map((doc) => [doc._key, doc]));
    const [answers = []] = await this.#write<readonly boolean[]>(LINKS[this.#options.durability].link, {
      wanted: [...distinct.values()],
    });
    const linked = new Map([...distinct.keys()].map((key, i) => [key, answers[i] ?? false]));
    return docs.map(({ _key }) => linked.get(_key) ?? false);
  }

  /** Returns whether the entries were linked. */
  async unlink(namespace: Namespace, from: string, type: string, to: string): Promise<boolean> {
    const id = linkKey(documentKey(namespace.id, from), type, documentKey(namespace.id, to));
    const rows = await this.#write<boolean>(LINKS[this.#options.durability].unlink, { id });
    return rows[0] ?? false;
  }

  /** The keys of related entries, by the number of links between them. */
  async related(
    namespace: Namespace,
    bounds: Bounds,
    key: string,
    { types, direction, depth }: Search,
  ): Promise<readonly (readonly string[])[]> {
    const statement = RELATED[direction][depth - 1];
    if (statement === undefined) throw new RangeError(`there is no statement for a depth of ${depth}`);
    const [levels] = await this.#server.execute<readonly string[][]>(statement, {
      ...this.#names,
      ...orderedBounds(namespace, bounds),
      start: documentKey(namespace.id, key),
      types: types ?? null,
    });
    return levels ?? [];
  }

  /** Removes some of the links whose entries are gone, in rotation. */
  async collect(): Promise<void> {
    const [row] = await this.#write<readonly [found: number, last: string | null]>(COLLECT_LINKS, {
      after: this.#place,
      limit: PAGE,
    });
    const [found, last] = row ?? [0, null];
    this.#place = found < PAGE || last === null ? "" : last;
  }

  get #names(): Readonly<Record<"@entries" | "@links", string>> {
    return { "@entries": this.#layout.entries, "@links": this.#layout.links };
  }

  async #write<T>(statement: Query, bindVars: BindVars): Promise<T[]> {
    const patience = new Patience(this.#options);
    const vars = { ...this.#names, ...bindVars };
    try {
      return await untilUndisturbed(patience, async () => ({
        done: await this.#server.execute<T>(statement, vars, { timeout: patience.forRequest }),
      }));
    } catch (error) {
      throw writeFailure(error, this.#server.isInCluster);
    }
  }
}
