import { type Namespace, namespaceFromId } from "@kv/core";
import type { Server } from "../connection/server.ts";
import { isMomentary } from "../errors.ts";
import { NAMESPACES } from "../read/read-queries.ts";
import { descendants } from "../stored/keys.ts";
import type { Layout } from "../stored/layout.ts";
import { MARK_EMPTY, UNLIST } from "./upkeep-queries.ts";

const PAGE = 256;
/** How many listed namespaces a statement checks for being empty. */
const SLICE = 1000;
/** The most such statements per sweep; the next sweep continues from there. */
const SLICES = 10;

type Marked = readonly [found: number, last: string | null, overdue: readonly string[]];

/**
 * The list of namespaces. Each is listed before the first write to it. Empty ones are omitted when the list is read, and removed
 * from it some minutes later.
 */
export class Namespaces {
  readonly #server: Server;
  readonly #layout: Layout;
  /** Where the next search for empty namespaces begins. */
  #place = "";

  constructor(server: Server, layout: Layout) {
    this.#server = server;
    this.#layout = layout;
  }

  /** The namespaces below this one that hold a live entry. */
  async *below(under: Namespace): AsyncGenerator<readonly Namespace[]> {
    for await (const listed of this.#listed(under)) {
      const page = listed.filter(({ live }) => live).map(({ namespace }) => namespace);
      if (page.length > 0) yield page;
    }
  }

  /** Removes empty namespaces from the list, in rotation. */
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
      // Another store is tidying too, or writes to one of the namespaces.
      if (!isMomentary(error)) throw error;
    }
  }

  /** All listed namespaces below this one. */
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
      // Continue with the ids after this one.
      from = `${last[0]}0`;
    }
  }
}
