import { type Namespace, namespaceFromId } from "@kv/core";
import { descendants } from "./keys.ts";
import type { Layout } from "./layout.ts";
import { NAMESPACES } from "./read-queries.ts";
import type { Server } from "./server.ts";

const PAGE = 256;

/** The list of namespaces: each is put down before the first write to it, and left out here while it holds nothing. */
export class Namespaces {
  readonly #server: Server;
  readonly #layout: Layout;

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

  /** All that were ever written to. */
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
