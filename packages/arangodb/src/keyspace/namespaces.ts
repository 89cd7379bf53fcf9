import { type Namespace, namespaceFromId } from "@kv/core";
import type { Server } from "../connection/server.ts";
import { isMomentary } from "../errors.ts";
import { NAMESPACES } from "../read/read-queries.ts";
import { descendants } from "../stored/keys.ts";
import type { Layout } from "../stored/layout.ts";
import { MARK_EMPTY, UNLIST } from "./upkeep-queries.ts";

const PAGE = 256;
/** How many of them a statement looks at that takes empty ones off the list, */
const SLICE = 1000;
/** and how many such statements a sweep makes at most: it goes on there the next time. */
const SLICES = 10;

type Marked = readonly [found: number, last: string | null, overdue: readonly string[]];

/**
 * The list of namespaces: each is put there before the first write to it. Empty ones are left out when it is read, and taken
 * off some minutes later.
 */
export class Namespaces {
  readonly #server: Server;
  readonly #layout: Layout;
  /** Where the next look for empty ones begins. */
  #place = "";

  constructor(server: Server, layout: Layout) {
    this.#server = server;
    this.#layout = layout;
  }

  /** The namespaces below that hold a live entry. */
  async *below(under: Namespace): AsyncGenerator<readonly Namespace[]> {
    for await (const listed of this.#listed(under)) {
      const page = listed.filter(({ live }) => live).map(({ namespace }) => namespace);
      if (page.length > 0) yield page;
    }
  }

  /** Takes empty ones off the list, going round. */
  async tidy(): Promise<void> {
    const names = { "@system": this.#layout.system, "@entries": this.#layout.entries };
    try {
      for (let slice = 0; slice < SLICES; slice++) {
        const bindVars = { ...names, after: this.#place, limit: SLICE };
        const [row] = await this.#server.execute<Marked>(MARK_EMPTY, bindVars);
        const [found, last, overdue] = row ?? [0, null, []];
        if (overdue.length > 0) await this.#server.execute(UNLIST, { ...names, ids: overdue });
        this.#place = found < SLICE || last === null ? "" : `${last}0`;
        if (this.#place === "") return;
      }
    } catch (error) {
      // Another store is at it, or writes to one of them.
      if (!isMomentary(error)) throw error;
    }
  }

  /** All on the list. */
  async *listedBelow(under: Namespace): AsyncGenerator<readonly Namespace[]> {
    for await (const listed of this.#listed(under)) yield listed.map(({ namespace }) => namespace);
  }

  async *#listed(
    under: Namespace,
  ): AsyncGenerator<readonly { readonly namespace: Namespace; readonly live: boolean }[]> {
    for (let { from, to } = descendants(under); ; ) {
      const rows = await this.#server.execute<readonly [n: string, id: string, live: boolean]>(NAMESPACES, {
        "@system": this.#layout.system,
        "@entries": this.#layout.entries,
        from,
        to,
        limit: PAGE,
      });
      yield rows.map(([, id, live]) => ({ namespace: namespaceFromId(id), live }));
      const last = rows.at(-1);
      if (rows.length < PAGE || last === undefined) return;
      // No id lies between this one and the same with more behind it.
      from = `${last[0]}0`;
    }
  }
}
