import type { Namespace, StoredEntry } from "@kv/core";
import { ArangoEntry, type Row } from "./document.ts";
import { documentKey } from "./keys.ts";
import type { Layout } from "./layout.ts";
import { READ } from "./read-queries.ts";
import type { Server } from "./server.ts";

/** Entries by their keys: one statement for all of them. */
export class Reader {
  readonly #server: Server;
  readonly #layout: Layout;

  constructor(server: Server, layout: Layout) {
    this.#server = server;
    this.#layout = layout;
  }

  async read(namespace: Namespace, keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    if (keys.length === 0) return [];
    const ids = keys.map((key) => documentKey(namespace.id, key));
    const rows = await this.#server.execute<readonly [id: string, row: Row]>(READ, {
      "@entries": this.#layout.entries,
      ids: [...new Set(ids)],
    });
    const found = new Map(rows);
    return ids.map((id, i) => {
      const row = found.get(id);
      return row === undefined ? undefined : new ArangoEntry(row, keys[i]);
    });
  }
}
