import type { Namespace } from "@kv/core";
import type { Link } from "../connection/link.ts";
import { STRIKE, UNLIST } from "../scripts/list-scripts.ts";
import type { Layout, Space } from "../stored/layout.ts";
import type { Collector } from "./expired-keys.ts";

/** About how many tags a page of the list has. */
const PAGE = "256";

export interface Listed {
  readonly namespace: Namespace;
  readonly space: Space;
  /** Differs whenever the space was listed anew. */
  readonly token: string;
}

/**
 * The list of namespaces. It may be in another slot than the namespaces, so a namespace is listed before its first write and
 * removed after its last entry: a listed namespace may be empty, but one that holds entries is always listed.
 */
export class Namespaces {
  readonly #link: Link;
  readonly #layout: Layout;
  readonly #collector: Collector;

  constructor(link: Link, layout: Layout, collector: Collector) {
    this.#link = link;
    this.#layout = layout;
    this.#collector = collector;
  }

  /** The listed namespaces whose id begins with `id`, page by page. */
  async *listed(id: string): AsyncGenerator<readonly Listed[]> {
    // The server may give a tag twice while it reorganizes the hash.
    const seen = new Set<string>();
    for (let cursor = "0"; ; ) {
      const reply = (await this.#link.call("HSCAN", [this.#layout.list, cursor, "COUNT", PAGE])) as [
        Buffer,
        Buffer[],
      ];
      const fields = reply[1].map(String);
      const page: Listed[] = [];
      for (let i = 0; i < fields.length; i += 2) {
        const [tag = "", token = ""] = [fields[i], fields[i + 1]];
        const found = seen.has(tag) ? undefined : this.#layout.find(tag);
        if (found === undefined || !found.namespace.id.startsWith(id)) continue;
        seen.add(tag);
        page.push({ ...found, token });
      }
      if (page.length > 0) yield page;
      cursor = String(reply[0]);
      if (cursor === "0") return;
    }
  }

  /** The namespaces below this one that hold a live entry, each once. */
  async *below(under: Namespace): AsyncGenerator<readonly Namespace[]> {
    const found = new Set<string>();
    for await (const listed of this.listed(under.id)) {
      const living = await Promise.all(
        listed.map(async ({ namespace, space }) => {
          if (namespace.id === under.id || found.has(namespace.id)) return false;
          return this.#collector.isLiving(space);
        }),
      );
      const page: Namespace[] = [];
      for (const [i, { namespace }] of listed.entries()) {
        if (!living[i] || found.has(namespace.id)) continue;
        found.add(namespace.id);
        page.push(namespace);
      }
      if (page.length > 0) yield page;
    }
  }

  /** Removes a space from the list if it is empty. */
  async strike(space: Space, token: string): Promise<void> {
    const gone = await this.#link.run(UNLIST, ["", "3", space.state, space.keys, space.seq]);
    if (gone === 1) await this.#link.run(STRIKE, ["", "1", this.#layout.list, space.tag, token]);
  }
}
